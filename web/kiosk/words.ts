/** What residents read, in two languages; a missing sentence is an error when building. */
import type { Words } from "../shared/kiosk-wire";

export type Language = "vi" | "en";

const vi = {
  brand: "Ki-ốt dịch vụ công",
  begin: "Chạm để bắt đầu",
  read: "Chạm vào màn hình để đọc các thông báo",
  welcome: "Kính chào quý vị",
  noAnnouncements: "Hiện chưa có thông báo nào.",
  announcements: "Thông báo",
  wait: "Xin chờ trong giây lát",
  waitWhy: "Ki-ốt đang chuẩn bị. Quý vị không cần làm gì.",
  outOfService: "Ki-ốt tạm ngừng phục vụ",
  sentAway: "Ki-ốt tạm ngừng phục vụ",
  sentAwayWhy: "Thành phố đang kiểm tra ki-ốt này. Mong quý vị thông cảm và đến bộ phận một cửa gần nhất.",
  cut: "Đang mất kết nối: thông báo vẫn xem được",
  pairing: "Ghi danh thiết bị",
  pairingWhat: "Cán bộ kỹ thuật mở trang Thiết bị, mục Ghi danh, rồi quét mã QR hoặc nhập sáu ký tự này.",
  pairingWords: "So bốn từ dưới đây với bốn từ trên màn hình của cán bộ; phải giống hệt nhau.",
  pairingLasts: "Mã còn hiệu lực khoảng {n} phút",
  pairingOver: "Mã sắp được đổi",
  back: "Quay lại",
  leave: "Xoá và thoát",
  previous: "Trang trước",
  next: "Trang sau",
  page: "Trang {n} trên {of}",
  still: "Quý vị còn ở đây không?",
  stillWhy: "Màn hình sẽ trở về trang đầu sau {n} giây.",
  stay: "Tôi vẫn ở đây",
  other: "English",
  code: "Mã: {code}",
} as const;

export type Key = keyof typeof vi;

const en: Readonly<Record<Key, string>> = {
  brand: "Public service kiosk",
  begin: "Touch to begin",
  read: "Touch the screen to read the announcements",
  welcome: "Welcome",
  noAnnouncements: "There are no announcements at the moment.",
  announcements: "Announcements",
  wait: "One moment, please",
  waitWhy: "The kiosk is getting ready. You need not do anything.",
  outOfService: "This kiosk is out of service",
  sentAway: "This kiosk is out of service",
  sentAwayWhy: "The city is checking this kiosk. Please go to the nearest one-stop desk.",
  cut: "The line is cut: announcements can still be read",
  pairing: "Enrol this device",
  pairingWhat: "Staff open the Devices page, Enrolment, and scan the QR code or type these six characters.",
  pairingWords: "Compare these four words with those on the staff's screen; they must be the same.",
  pairingLasts: "The code is good for about {n} minutes",
  pairingOver: "The code is about to change",
  back: "Back",
  leave: "Clear and leave",
  previous: "Previous page",
  next: "Next page",
  page: "Page {n} of {of}",
  still: "Are you still there?",
  stillWhy: "The screen returns to the first page in {n} seconds.",
  stay: "I am still here",
  other: "Tiếng Việt",
  code: "Code: {code}",
};

const TABLES: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { vi, en };

export function say(language: Language, key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return TABLES[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** A text of the content; English where it was translated. */
export function text(words: Words, language: Language): string {
  return language === "en" && words.en !== "" ? words.en : words.vi;
}
