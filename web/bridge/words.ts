/** What this page says, in two languages. */
import { language, type Language } from "../shared/i18n";
import { useStore } from "../shared/store";

const VI = {
  title: "Thiết bị điểm cầu",
  sub: "Máy này báo tình trạng về Thành phố khi trang này đang mở.",
  starting: "Đang khởi động…",
  code: "Mã ghi danh",
  code_how: "Cán bộ kỹ thuật mở trang Ghi danh, gõ mã này và đối chiếu bốn từ.",
  where: "Trang ghi danh",
  words: "Bốn từ của máy này",
  until: "Mã có hiệu lực đến",
  refused: "Máy này không được ghi danh.",
  refused_again: "Một phút nữa máy sẽ xin lại.",
  connecting: "Đang kết nối…",
  connected: "Đang kết nối với Thành phố",
  heard: "Lần báo gần nhất",
  keep: "Xin để trang này mở, kể cả khi đang họp ở cửa sổ khác.",
  permit: "Cho phép dùng camera và micro để Thành phố biết chúng còn tốt. Hình và tiếng không được gửi đi hay lưu lại.",
  elsewhere: "Trang này đang mở ở một cửa sổ khác của máy. Xin dùng cửa sổ đó.",
  no_key: "Trình duyệt này không tạo được khóa. Xin dùng Chrome hoặc Edge từ bản 137, Firefox từ bản 129, qua địa chỉ https.",
  quarantined: "Máy này đang bị cách ly. Xin liên hệ cán bộ kỹ thuật của Thành phố.",
  retired: "Máy này đã thanh lý. Để dùng lại, xin liên hệ cán bộ kỹ thuật của Thành phố.",
  superseded: "Máy này vừa kết nối từ một nơi khác.",
  failed: "Chưa kết nối được. Trang sẽ tự thử lại.",
} as const;

type Sentence = keyof typeof VI;

const EN: Readonly<Record<Sentence, string>> = {
  title: "Bridge point device",
  sub: "This machine tells the city how it is while this page is open.",
  starting: "Starting…",
  code: "Enrolment code",
  code_how: "A technician opens the enrolment page, types this code and compares the four words.",
  where: "Enrolment page",
  words: "This machine's four words",
  until: "The code is good until",
  refused: "This machine was not enrolled.",
  refused_again: "It will ask again in a minute.",
  connecting: "Connecting…",
  connected: "Connected to the city",
  heard: "Last heard",
  keep: "Please leave this page open, also while a meeting is on in another window.",
  permit: "Allow camera and microphone so that the city knows they are well. No picture and no sound is sent or kept.",
  elsewhere: "This page is open in another window of this machine. Please use that one.",
  no_key: "This browser cannot make a key. Please use Chrome or Edge from 137, Firefox from 129, by an https address.",
  quarantined: "This machine is quarantined. Please call the city's technicians.",
  retired: "This machine is retired. To use it again, please call the city's technicians.",
  superseded: "This machine has just connected from elsewhere.",
  failed: "No connection yet. The page will try again by itself.",
};

const TABLES: Readonly<Record<Language, Readonly<Record<Sentence, string>>>> = { vi: VI, en: EN };

export function useWords(): Readonly<Record<Sentence, string>> {
  return TABLES[useStore(language)];
}
