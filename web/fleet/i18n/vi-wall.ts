export const viWall = {
  "wall.title": "Ki-ốt và điểm cầu Thành phố Hà Nội",
  "wall.full": "Toàn màn hình",
  "wall.leave": "Thoát",
} as const;
