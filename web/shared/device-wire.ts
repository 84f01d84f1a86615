// Made by `python -m signaling.wire.typescript web/shared/device-wire.ts` from the Python types. Do not edit.

export const THINGS: readonly string[] = ["thuyền","xe","nhà","cầu","bàn","ghế","nến","sách","bút","nón","trống","chuông","diều","kẹo","bánh","lúa","sen","táo","voi","ngựa","thỏ","rùa","ong","mây","sao","núi","suối","rừng","cửa","khóa","thước","áo"];
export const KINDS: readonly string[] = ["xanh","đỏ","tím","vàng","trắng","đen","nâu","hồng","xám","bạc","to","nhỏ","cao","thấp","dài","ngắn","tròn","vuông","mới","nhanh","chậm","nặng","nhẹ","sáng","gỗ","len","tre","giấy","ngọc","sứ","thơm","mát"];

/** What stands there. */
export type DeviceKind = "kiosk" | "bridge-point";

/** How far a device's own clock may be believed. */
export type ClockTrust = "synced" | "held" | "unset";

/** How far a device has come in being let in. */
export type EnrolmentState = "waiting" | "bound" | "collected" | "expired" | "refused" | "locked";

/** What a bundle brings. */
export type BundleKind = "content" | "configuration" | "software";

/**
 * When something happened, for a device that may have no clock.
 *
 * ``boot`` and ``counter`` order everything of one device whatever its clock says; ``wall`` is to be
 * believed as
 * far as ``clock`` of the beats says.
 */
export interface DeviceTime {
  readonly boot: string;
  readonly counter: number;
  readonly uptime_s: number;
  readonly wall: number;
}

/** What runs there. */
export interface Versions {
  readonly agent: string;
  readonly content: string;
  readonly configuration: string;
}

/** The disk the device writes to. */
export interface Disk {
  readonly free_share: number;
  readonly free_bytes: number;
  readonly writable: boolean;
  readonly wear_share: number | null;
  readonly errors: number;
}

/** The machine itself. */
export interface Load {
  readonly cpu_share: number;
  readonly memory_share: number;
  readonly temperature_c: number | null;
  readonly undervoltage: boolean | null;
  readonly uptime_s: number;
}

/** The line to the city, from the device's own exchanges with it. */
export interface Network {
  readonly rtt_ms: number | null;
  readonly loss_share: number | null;
  readonly kind: "mobile" | "unknown" | "wired" | "wireless";
}

/** What the screen shows, as the browser itself tells. */
export interface Painted {
  readonly frame_age_s: number | null;
  readonly changed_age_s: number | null;
  readonly page: string;
  readonly on: boolean | null;
}

/** One camera, looked through for an instant. No picture is kept. */
export interface Camera {
  readonly state: "busy" | "dark" | "failed" | "frozen" | "none" | "ok";
  readonly moving: boolean | null;
  readonly sharpness: number | null;
  readonly brightness: number | null;
}

/** The slip printer. */
export interface Printer {
  readonly state: "cover-open" | "failed" | "offline" | "ok" | "paper-low" | "paper-out";
}

/** All of one beat. */
export interface Facts {
  readonly versions: Versions;
  readonly disk: Disk | null;
  readonly load: Load | null;
  readonly network: Network;
  readonly clock: ClockTrust;
  readonly painted: Painted | null;
  readonly touch_ok: boolean | null;
  readonly camera: Camera | null;
  readonly microphone_share: number | null;
  readonly printer: Printer | null;
  readonly in_session: boolean;
  readonly outbox_depth: number;
  readonly out_of_service: boolean;
  readonly restarts: number;
}

/** The order is being carried out. */
export interface Began {
  readonly what: "began";
  readonly command: string;
}

/** One number or word of a result, by a stable name: ``rtt_ms``, ``sharpness``, ``state``. */
export interface Finding {
  readonly name: string;
  readonly value: number | number | boolean | string;
}

/** How an order ended on the device. */
export interface Outcome {
  readonly succeeded: boolean;
  readonly code: string;
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly evidence: string | null;
}

/** The order has ended, with this outcome. Told once and for all. */
export interface Done {
  readonly what: "done";
  readonly command: string;
  readonly outcome: Outcome;
}

/** How far an offered bundle is. */
export interface Installing {
  readonly what: "installing";
  readonly rollout: string;
  readonly bundle: string;
  readonly step: "downloaded" | "downloading" | "failed" | "installed" | "installing" | "offered" | "returned";
  readonly bytes_done: number;
  readonly code: string;
  readonly text: string;
}

/** Counts of one hour. Nothing of who came or what for. */
export interface Sessions {
  readonly what: "sessions";
  readonly hour: number;
  readonly begun: number;
  readonly finished: number;
  readonly abandoned: number;
  readonly scans: number;
  readonly scans_failed: number;
  readonly help_calls: number;
}

/**
 * Something staff should see in the device's log: a browser that died, a disk that failed. No personal
 * data.
 */
export interface LogLine {
  readonly what: "log-line";
  readonly level: "error" | "info" | "warning";
  readonly code: string;
  readonly text: string;
}

/**
 * The device has made its next key; ``proof`` is the new key's signature over
 * ``proofs.rotation_text``.
 */
export interface KeyAnnounced {
  readonly what: "key-announced";
  readonly public_key: string;
  readonly proof: string;
}

/** Whom to call at the place. For staff's eyes; in no metric, no log line. */
export interface Contact {
  readonly name: string;
  readonly phone: string;
  readonly email: string;
}

/** One stretch of opening, on one day of the week, in Hà Nội's time. ``to`` may be 1440 (midnight). */
export interface Hours {
  readonly weekday: number;
  readonly from_minute: number;
  readonly to_minute: number;
}

/** One place. Devices at the same ``unit`` and ``building`` share power and line. */
export interface Place {
  readonly unit: string;
  readonly building: string;
  readonly floor: string;
  readonly note: string;
  readonly contact: Contact;
  readonly hours: readonly Hours[];
  readonly mm_per_px: number | null;
  readonly camera: string;
  readonly low_reach_mm: number | null;
}

/** What the city tells a device about itself; told again whenever it changes, and with every welcome. */
export interface DeviceSettings {
  readonly name: string;
  readonly place: Place;
  readonly beat_every_s: number;
  readonly version: number;
}

/** The browser is started anew. */
export interface RestartPage {
  readonly act: "restart-page";
}

/** The agent ends; its service manager starts it again. */
export interface RestartAgent {
  readonly act: "restart-agent";
}

/** The machine restarts. Dangerous: two persons. */
export interface Reboot {
  readonly act: "reboot";
}

/** The screen is on, or off. */
export interface SetScreen {
  readonly act: "set-screen";
  readonly on: boolean;
}

/** The loudspeaker's volume, of full. */
export interface SetVolume {
  readonly act: "set-volume";
  readonly share: number;
}

/** Look for new content now. */
export interface RefreshContent {
  readonly act: "refresh-content";
}

/** The agent's own log of the last hours comes as evidence; the device has struck out what is personal. */
export interface CollectLogs {
  readonly act: "collect-logs";
  readonly hours: number;
}

/** What the screen shows comes as evidence, marked regions painted over on the device. */
export interface TakeScreenshot {
  readonly act: "take-screenshot";
}

/** Opens the camera, looks at it for some seconds, tells numbers. No picture leaves the device. */
export interface TestCamera {
  readonly act: "test-camera";
}

/** Prints a short test slip. */
export interface TestPrinter {
  readonly act: "test-printer";
}

/** Measures the way to the city: round trips, loss, throughput of a bounded transfer. */
export interface CheckLine {
  readonly act: "check-line";
}

/** Residents read ``message`` and nothing else. Dangerous in bulk: two persons from ten devices on. */
export interface TakeOutOfService {
  readonly act: "take-out-of-service";
  readonly message: string;
}

/** The usual page is back. */
export interface ReturnToService {
  readonly act: "return-to-service";
}

/** One command as its device sees it. Times are seconds, UTC, on the city's clock. */
export interface Order {
  readonly id: string;
  readonly do: RestartPage | RestartAgent | Reboot | SetScreen | SetVolume | RefreshContent | CollectLogs | TakeScreenshot | TestCamera | TestPrinter | CheckLine | TakeOutOfService | ReturnToService;
  readonly expires_at: number;
  readonly waits_for_session: boolean;
  readonly force_at: number | null;
  readonly runs_at_most_s: number;
}

/** A bundle this device is to install. */
export interface Offer {
  readonly rollout: string;
  readonly bundle: string;
  readonly kind: BundleKind;
  readonly version: string;
  readonly target: string;
  readonly length_bytes: number;
  readonly download_from_minute: number | null;
  readonly download_to_minute: number | null;
  readonly cap_bytes_per_s: number | null;
  readonly attempt: number;
}

// --- what a device says ---

/** Within 10 s of the challenge. ``signature`` is over :func:`signaling.wire.kiosk.proofs.hello_text`. */
export interface DeviceHello {
  readonly type: "hello";
  readonly v: 1;
  readonly device: string;
  readonly nonce: string;
  readonly at: DeviceTime;
  readonly agent: string;
  readonly signature: string;
}

/** How it is, now. Answered by ``heard``. ``n`` counts the beats of this connection. */
export interface Beat {
  readonly type: "beat";
  readonly v: 1;
  readonly n: number;
  readonly at: DeviceTime;
  readonly facts: Facts;
}

/**
 * The device is about to carry out this order. Answered by ``go`` or ``no-go``: the right of whoever
 * asked for
 * it is looked at once more.
 */
export interface Claim {
  readonly type: "claim";
  readonly v: 1;
  readonly command: string;
}

/** The order is kept on the device's disk; it need not be sent again on this line. */
export interface Acknowledge {
  readonly type: "acknowledge";
  readonly v: 1;
  readonly command: string;
}

/**
 * Something that must not be lost. Kept on the device until ``stored`` names its key; told again after
 * that, it
 * is answered and nothing more happens.
 */
export interface Report {
  readonly type: "report";
  readonly v: 1;
  readonly key: string;
  readonly at: DeviceTime;
  readonly news: Began | Done | Installing | Sessions | LogLine | KeyAnnounced;
}

export type DeviceMessage =
  | DeviceHello
  | Beat
  | Claim
  | Acknowledge
  | Report;

// --- what the city says ---

/** The first word. The nonce is good for this connection and some seconds. */
export interface Challenge {
  readonly type: "challenge";
  readonly v: 1;
  readonly nonce: string;
  readonly time: number;
}

/**
 * It is who it says. ``token`` goes into ``Authorization: Bearer`` of its requests, until
 * ``token_ends_at``.
 */
export interface DeviceWelcome {
  readonly type: "welcome";
  readonly v: 1;
  readonly token: string;
  readonly token_ends_at: number;
  readonly settings: DeviceSettings;
  readonly rotate_key: boolean;
  readonly time: number;
}

/** The next token, in good time. */
export interface Token {
  readonly type: "token";
  readonly v: 1;
  readonly token: string;
  readonly token_ends_at: number;
  readonly time: number;
}

/** The beat ``n`` was heard. */
export interface Heard {
  readonly type: "heard";
  readonly v: 1;
  readonly n: number;
  readonly time: number;
}

/** These reports are committed and synced; forget them. */
export interface Stored {
  readonly type: "stored";
  readonly v: 1;
  readonly keys: readonly string[];
  readonly time: number;
}

/**
 * What was said is not taken, and would not be another time: ``code`` and ``text`` say why, staff see
 * it in the device's log. ``key``: the report that it was, to be forgotten; None: a message whose key
 * could not be read.
 */
export interface Rejected {
  readonly type: "rejected";
  readonly v: 1;
  readonly code: string;
  readonly text: string;
  readonly key: string | null;
  readonly time: number;
}

/** An order. It may come again; it has its effect once. */
export interface Carry {
  readonly type: "carry";
  readonly v: 1;
  readonly order: Order;
  readonly time: number;
}

/** The order is cancelled; if it has begun, nothing is undone. */
export interface TakeBack {
  readonly type: "take-back";
  readonly v: 1;
  readonly command: string;
  readonly time: number;
}

/** The claimed order may be carried out. */
export interface Go {
  readonly type: "go";
  readonly v: 1;
  readonly command: string;
  readonly time: number;
}

/** It may not, and never will be. */
export interface NoGo {
  readonly type: "no-go";
  readonly v: 1;
  readonly command: string;
  readonly code: string;
  readonly text: string;
  readonly time: number;
}

/** What to install; None: nothing (more), and what is half loaded may be dropped. */
export interface Offered {
  readonly type: "offered";
  readonly v: 1;
  readonly offer: Offer | null;
  readonly time: number;
}

/** They have changed. */
export interface Settings {
  readonly type: "settings";
  readonly v: 1;
  readonly settings: DeviceSettings;
  readonly time: number;
}

/**
 * The line is closed after this.
 *
 * For as long as its state is not changed by staff: ``unknown-device``, ``quarantined``, ``retired``,
 * ``cloned-key``; ``bad-signature``, ``replayed`` and those of a bad message (``bad-json``, ``bad-field``,
 * ``unknown-type``, ``bad-version``, ``invalid-utf8``, ``too-big``) are bugs or attacks. To be tried again
 * after ``retry_after_ms``: ``come-back``, ``lagging``, ``too-many``, ``busy``, ``not-stored``,
 * ``in-doubt``, ``hello-timeout``, ``shutting-down``. ``superseded``: another line of the same device has
 * taken its place.
 */
export interface SentAway {
  readonly type: "sent-away";
  readonly v: 1;
  readonly code: string;
  readonly text: string;
  readonly retry_after_ms: number | null;
  readonly time: number;
}

export type CityMessage =
  | Challenge
  | DeviceWelcome
  | Token
  | Heard
  | Stored
  | Rejected
  | Carry
  | TakeBack
  | Go
  | NoGo
  | Offered
  | Settings
  | SentAway;

// --- what REST takes and answers ---

/** Let me in. Signed by the new key over ``proofs.enrolment_text``. */
export interface AskEnrolment {
  readonly public_key: string;
  readonly kind: DeviceKind;
  readonly hardware: string;
  readonly agent: string;
  readonly at: number;
  readonly salt: string;
  readonly signature: string;
}

/** How is it? Signed over ``proofs.look_text``; ``counter`` grows with every look. */
export interface ProveEnrolment {
  readonly counter: number;
  readonly signature: string;
}

/** Show this. ``time`` is the city's clock. A pre-authorised device is told ``bound`` at once. */
export interface Enrolled {
  readonly enrolment: string;
  readonly state: EnrolmentState;
  readonly code: string;
  readonly url: string;
  readonly expires_at: number;
  readonly look_every_s: number;
  readonly time: number;
}

/**
 * ``collected`` comes with the device's name in the fleet; only now is there a credential.
 *
 * ``counter`` is the last one the city has heard in a hello of this device: one that has lost its state
 * and found itself by its key goes on above it, or it would look like a copy of itself.
 */
export interface EnrolmentNews {
  readonly state: EnrolmentState;
  readonly time: number;
  readonly device: string | null;
  readonly settings: DeviceSettings | null;
  readonly counter: number;
  readonly text: string;
}
