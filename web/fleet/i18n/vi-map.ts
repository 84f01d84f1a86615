export const viMap = {
  "map.sub": "{n} thiết bị ở {districts} quận, huyện, thị xã",
  "map.open": "Sự cố đang mở",
  "map.quiet": "Hiện không có sự cố nào.",
  "map.incidents": "{n} sự cố đang mở",
  "map.devices": "{n} thiết bị",
  "map.nothing": "0 thiết bị",
  "map.nothing.text": "Quận, huyện này chưa có thiết bị nào.",
  "map.notyours": "Ngoài địa bàn",
  "map.notyours.text": "Quận, huyện này không thuộc địa bàn của đồng chí.",
  "map.list": "Xem danh sách",
} as const;
