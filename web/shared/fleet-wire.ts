// Made by `python -m signaling.wire.typescript web/shared/fleet-wire.ts` from the Python types. Do not edit.

/** What stands there. */
export type DeviceKind = "kiosk" | "bridge-point";

/** What the city has decided about a device, whatever its health. */
export type DeviceState = "bound" | "active" | "quarantined" | "retired";

/** How far a device has come in being let in. */
export type EnrolmentState = "waiting" | "bound" | "collected" | "expired" | "refused" | "locked";

/** How a device is, in one word; the worst first. The sentence beside it is its reason. */
export type Status = "offline" | "faulty" | "degraded" | "out-of-service" | "quarantined" | "new" | "closed" | "ok";

/** How far a device's own clock may be believed. */
export type ClockTrust = "synced" | "held" | "unset";

/** What a person may do with the fleet; a meeting's roles are another matter. */
export type FleetRole = "viewer" | "technician" | "administrator";

/** What a bundle brings. */
export type BundleKind = "content" | "configuration" | "software";

/** How much an incident matters; the gravest first. */
export type Severity = "critical" | "major" | "minor";

/** How far an incident has come. */
export type IncidentState = "open" | "acknowledged" | "folded" | "closed";

/** How wide an incident is; the widest first. */
export type Level = "city" | "district" | "unit" | "building" | "device";

/** What people, or its own gate, have decided about a rollout. */
export type RolloutState = "draft" | "awaiting-approval" | "running" | "paused" | "stopped" | "finished";

/** Everything a person can ask of the fleet. */
export type Action = "see" | "enrol" | "edit-device" | "quarantine" | "retire" | "preauthorise" | "command" | "command-dangerous" | "approve" | "see-screenshot" | "handle-incident" | "plan-rollout" | "approve-rollout" | "stop-rollout" | "see-audit" | "set-up";

/** How far a command is. The last four are final. */
export type CommandState = "awaiting-approval" | "pending" | "sent" | "delivered" | "running" | "succeeded" | "failed" | "expired" | "cancelled";

/** What an act is to a resident who is being served. */
export type Beside = "harmless" | "disturbs" | "never";

/** When a second person must approve. */
export type Danger = "none" | "in-bulk" | "always";

/** What would happen at one device. */
export type Fate = "at-once" | "waits-for-session" | "waits-for-line" | "refused";

/** One reason. The sentences have their numbers in them already. */
export interface Reason {
  readonly code: string;
  readonly vi: string;
  readonly en: string;
}

/** A district, and its place on the schematic tile map. */
export interface DistrictRef {
  readonly code: string;
  readonly name: string;
  readonly row: number;
  readonly col: number;
}

/** A unit of the roster, with what the map and the filters need. */
export interface UnitRef {
  readonly code: string;
  readonly name: string;
  readonly district: string;
  readonly sort: string;
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

/** Where a fact begins to be a reason; drawn in its chart. */
export interface Threshold {
  readonly metric: string;
  readonly enter: number;
  readonly leave: number;
  readonly above: boolean;
  readonly status: Status;
}

/**
 * One point of a chart: when (s, UTC), and lowest, mean and highest of its step; None: nothing was
 * heard.
 */
export type MetricPoint = readonly [at: number, low: number | null, mean: number | null, high: number | null];

/** A stretch of one status, for the strip above the charts. */
export interface StatusSpan {
  readonly status: Status;
  readonly since: number;
  readonly until: number | null;
  readonly reason: Reason | null;
}

/** One line of a device's log. */
export interface LogEntry {
  readonly at: number;
  readonly level: "error" | "info" | "warning";
  readonly code: string;
  readonly text: string;
  readonly by: string;
  readonly reason: Reason | null;
}

/** Counts of one hour: hours since 1970, begun, finished, abandoned, scans, scans failed, help calls. */
export type SessionHour = readonly [hour: number, begun: number, finished: number, abandoned: number, scans: number, scans_failed: number, help_calls: number];

/** Somebody of the staff. */
export interface Handler {
  readonly account: string;
  readonly name: string;
}

/** One device of an incident. ``well_at`` None: something is wrong with it now. */
export interface IncidentDevice {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly building: string;
  readonly since: number;
  readonly well_at: number | null;
  readonly reasons: readonly Reason[];
  readonly flapping: boolean;
}

/** Something that happened. ``text``: as a person wrote it; ``by`` empty: the server. */
export interface TimelineEntry {
  readonly at: number;
  readonly what: string;
  readonly said: Reason;
  readonly by: string;
  readonly name: string;
  readonly text: string;
}

/** One notice that went out, or is to. Addresses are shown in the settings only. */
export interface NoticeLine {
  readonly id: string;
  readonly kind: string;
  readonly route: string;
  readonly channel: string;
  readonly state: string;
  readonly created_at: number;
  readonly due_at: number;
  readonly done_at: number | null;
  readonly attempts: number;
  readonly code: string;
}

/** Which devices: those named, or those that match all of the rest. Empty: any. */
export interface Selection {
  readonly devices?: readonly string[];
  readonly districts?: readonly string[];
  readonly units?: readonly string[];
  readonly kinds?: readonly DeviceKind[];
  readonly statuses?: readonly Status[];
  readonly agents?: readonly string[];
  readonly contents?: readonly string[];
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

/** So many at once, then so many seconds' pause. */
export interface Pace {
  readonly per_batch: number;
  readonly every_s: number;
}

/** What would happen at one device, and when (seconds from the start). */
export interface ForeseenRow {
  readonly device: string;
  readonly fate: Fate;
  readonly offset_s: number;
  readonly code: string;
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

/** What a device must be to run it. Nothing asked for: any device is fit. */
export interface Needs {
  readonly agent_from?: string;
  readonly agent_below?: string;
  readonly hardware?: readonly string[];
}

/** One bundle. ``signed`` false: it waits for whoever has the targets key. */
export interface BundleRow {
  readonly id: string;
  readonly kind: BundleKind;
  readonly version: string;
  readonly length_bytes: number;
  readonly sha256: string;
  readonly needs: Needs;
  readonly note: string;
  readonly added_by: string;
  readonly added_at: number;
  readonly signed: boolean;
  readonly installed: number;
  readonly may: readonly string[];
}

/** One of the four roles that sign. ``key_here``: its key lies on the server. */
export interface SigningRole {
  readonly name: string;
  readonly version: number;
  readonly expires_at: number;
  readonly key_here: boolean;
}

/** How many devices of a ring are at each step. */
export interface StepCounts {
  readonly waiting: number;
  readonly offered: number;
  readonly downloading: number;
  readonly downloaded: number;
  readonly installing: number;
  readonly installed: number;
  readonly failed: number;
  readonly returned: number;
  readonly left_out: number;
}

/** One ring, and how far it is. */
export interface RingRow {
  readonly name: string;
  readonly size: number;
  readonly counts: StepCounts;
  readonly started_at: number | null;
  readonly reached_at: number | null;
  readonly soak_ends_at: number | null;
}

/** One rollout on the list. */
export interface RolloutRow {
  readonly id: string;
  readonly title: string;
  readonly bundle: string;
  readonly kind: BundleKind;
  readonly version: string;
  readonly state: RolloutState;
  readonly reason: Reason | null;
  readonly planners: readonly string[];
  readonly planned_at: number;
  readonly approved_by: string;
  readonly approved_at: number | null;
  readonly stopped_by: string;
  readonly ended_at: number | null;
  readonly returns: string | null;
  readonly rings: readonly RingRow[];
  readonly changes: number;
  readonly may: readonly string[];
}

/**
 * One ring: the devices named, all of some districts, or a share of those no earlier ring took.
 *
 * Of the three exactly one is given; the last ring of a plan is always the rest, whatever it says.
 */
export interface Ring {
  readonly name: string;
  readonly share: number | null;
  readonly districts: readonly string[];
  readonly devices: readonly string[];
}

/** From when on a worsening stops a rollout. */
export interface ExperienceGate {
  readonly tolerated_rise: number;
  readonly least: number;
  readonly z: number;
}

/** From when on the next ring may start, and from when on the rollout stops by itself. */
export interface Gate {
  readonly advance_share: number;
  readonly soak_s: number;
  readonly failed_share: number;
  readonly failed_least: number;
  readonly experience: ExperienceGate | null;
}

/** When and how fast devices fetch it. Minutes of the day in Hà Nội's time; from > to: over midnight. */
export interface Transfer {
  readonly from_minute: number | null;
  readonly to_minute: number | null;
  readonly cap_bytes_per_s: number | null;
  readonly at_once: number;
}

/** Residents' sessions of some devices over some time. */
export interface ExperienceCounts {
  readonly begun: number;
  readonly abandoned: number;
  readonly scans: number;
  readonly scans_failed: number;
  readonly help_calls: number;
}

/** One share, now and as it should be. ``rise_at_least`` is the lower end of the interval. */
export interface Comparison {
  readonly bad: number;
  readonly of: number;
  readonly bad_reference: number;
  readonly of_reference: number;
  readonly rise: number;
  readonly rise_at_least: number;
  readonly worse: boolean;
}

/** What is known of one share. None: too few counts for that comparison. */
export interface Effect {
  readonly measure: "abandoned" | "help-calls" | "scans-failed";
  readonly own: Comparison | null;
  readonly others: Comparison | null;
  readonly worse: boolean;
}

/** How residents fare on the updated devices, beforehand and since, and on those not yet updated. */
export interface Experience {
  readonly before: ExperienceCounts;
  readonly after: ExperienceCounts;
  readonly others: ExperienceCounts;
  readonly effects: readonly Effect[];
}

/** So many devices failed for this reason. */
export interface CodeCount {
  readonly code: string;
  readonly count: number;
}

/** One device in it. */
export interface MemberRow {
  readonly device: string;
  readonly name: string;
  readonly unit: string;
  readonly ring: number;
  readonly step: "downloaded" | "downloading" | "failed" | "installed" | "installing" | "left-out" | "offered" | "returned" | "waiting";
  readonly at: number;
  readonly bytes_done: number;
  readonly code: string;
  readonly text: string;
  readonly attempt: number;
}

/** What came of one test letter; ``code`` empty: it arrived. */
export interface TestLine {
  readonly to: string;
  readonly code: string;
  readonly text: string;
}

// --- what the live feed says ---

/** The first word: rows as of ``version`` are to be asked for by REST, what changes after it follows. */
export interface FleetHello {
  readonly type: "fleet-hello";
  readonly v: 1;
  readonly version: number;
  readonly total: number;
  readonly time: number;
}

/** At most 500 rows; more come a moment later. */
export interface RowsChanged {
  readonly type: "rows-changed";
  readonly v: 1;
  readonly rows: readonly DeviceRow[];
  readonly gone: readonly string[];
  readonly time: number;
}

/**
 * Things that changed and are shown by REST: a page that shows one of them asks again. At most one a
 * second.
 */
export interface SomethingChanged {
  readonly type: "something-changed";
  readonly v: 1;
  readonly incidents: readonly string[];
  readonly commands: readonly string[];
  readonly rollouts: readonly string[];
  readonly enrolments: boolean;
  readonly audit: boolean;
  readonly time: number;
}

/** Each five seconds, so that a page knows how old what it shows is. */
export interface FleetPulse {
  readonly type: "fleet-pulse";
  readonly v: 1;
  readonly version: number;
  readonly time: number;
}

/** The feed ends: ``logged-out``, ``shutting-down``, ``lagging``, ``not-allowed``. */
export interface FleetGone {
  readonly type: "fleet-gone";
  readonly v: 1;
  readonly code: string;
  readonly retry_after_ms: number | null;
  readonly time: number;
}

export type FleetMessage =
  | FleetHello
  | RowsChanged
  | SomethingChanged
  | FleetPulse
  | FleetGone;

// --- what REST takes and answers ---

/**
 * One line of the list, small: a page holds all of them. Of two of the same id the higher ``version``
 * holds.
 */
export interface DeviceRow {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly state: DeviceState;
  readonly unit: string;
  readonly district: string;
  readonly building: string;
  readonly status: Status;
  readonly since: number;
  readonly reason?: Reason | null;
  readonly more?: number;
  readonly floor?: string;
  readonly seen_at?: number | null;
  readonly agent?: string;
  readonly content?: string;
  readonly flapping?: boolean;
  readonly in_session?: boolean;
  readonly connected?: boolean;
  readonly incident?: string | null;
}

/** One page of all rows, as of ``version``; what changes after it comes by the live feed. */
export interface DevicesAnswer {
  readonly version: number;
  readonly total: number;
  readonly devices: readonly DeviceRow[];
}

/** The roster, as the fleet's pages use it. */
export interface PlacesAnswer {
  readonly districts: readonly DistrictRef[];
  readonly units: readonly UnitRef[];
}

/** One device's page. */
export interface DeviceAnswer {
  readonly row: DeviceRow;
  readonly place: Place;
  readonly fingerprint_words: string;
  readonly enrolled_at: number;
  readonly hardware: string;
  readonly state_reason: string;
  readonly maintenance_until: number | null;
  readonly reasons: readonly Reason[];
  readonly facts: Facts | null;
  readonly facts_at: number | null;
  readonly beat_every_s: number;
  readonly thresholds: readonly Threshold[];
  readonly open_now: boolean;
  readonly may: readonly string[];
}

/** Fields that are None stay as they are. */
export interface AskEditDevice {
  readonly name?: string | null;
  readonly place?: Place | null;
  readonly maintenance_minutes?: number | null;
}

/** For what is decided about a device: quarantine, release, retirement. */
export interface AskWhy {
  readonly why: string;
}

/** One metric of one device over a stretch of time, in steps as coarse as that needs. */
export interface HistoryAnswer {
  readonly metric: string;
  readonly step_s: number;
  readonly points: readonly MetricPoint[];
}

export interface SpansAnswer {
  readonly spans: readonly StatusSpan[];
}

export interface LogAnswer {
  readonly entries: readonly LogEntry[];
}

export interface SessionsAnswer {
  readonly hours: readonly SessionHour[];
}

/** A saved view of the list: its filters, as the page writes them into its own address. */
export interface View {
  readonly id: string;
  readonly name: string;
  readonly query: string;
}

export interface ViewsAnswer {
  readonly views: readonly View[];
}

export interface AskView {
  readonly name: string;
  readonly query: string;
}

/** Who the page is shown to. ``csrf`` as everywhere. */
export interface StaffAnswer {
  readonly account: string;
  readonly name: string;
  readonly role: string;
  readonly districts: readonly string[];
  readonly may: readonly string[];
  readonly csrf: string;
}

/** One device on its way in. Its code is not told: whoever binds it has read it from its screen. */
export interface EnrolmentRow {
  readonly id: string;
  readonly state: EnrolmentState;
  readonly kind: DeviceKind;
  readonly hardware: string;
  readonly agent: string;
  readonly words: readonly string[];
  readonly fingerprint: string;
  readonly address: string;
  readonly asked_at: number;
  readonly expires_at: number;
  readonly name?: string;
  readonly unit?: string;
  readonly by?: string;
  readonly preauthorised?: boolean;
  readonly device?: string | null;
}

/** The newest first. */
export interface EnrolmentsAnswer {
  readonly time: number;
  readonly enrolments: readonly EnrolmentRow[];
}

/** Which device shows this? Wrong ones are counted: after five within ten minutes an account waits. */
export interface AskFindCode {
  readonly code: string;
}

/** ``fingerprint`` is that of the row whose words were compared with the screen's. */
export interface AskBind {
  readonly code: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly place: Place;
}

/** The device shows the reason. */
export interface AskRefuse {
  readonly why?: string;
}

/** A device that is bound as soon as it asks. */
export interface ExpectedRow {
  readonly fingerprint: string;
  readonly words: readonly string[];
  readonly name: string;
  readonly kind: DeviceKind;
  readonly place: Place;
  readonly added_by: string;
  readonly added_at: number;
}

export interface ExpectedAnswer {
  readonly expected: readonly ExpectedRow[];
}

/**
 * A list as CSV with a heading: ``fingerprint``, ``name``, ``unit`` are needed; ``kind``, ``building``,
 * ``floor``, ``note``, ``contact_name``, ``contact_phone``, ``contact_email`` may be there. All or none.
 */
export interface AskExpect {
  readonly csv: string;
}

export interface ListFault {
  readonly line: number;
  readonly code: string;
  readonly text: string;
}

/** ``added`` 0 and the faults, or all of them and none. */
export interface ExpectAnswer {
  readonly added: number;
  readonly faults: readonly ListFault[];
}

/** A device's identity after what was decided. */
export interface IdentityAnswer {
  readonly device: string;
  readonly state: DeviceState;
  readonly reason: string;
  readonly words: readonly string[];
  readonly rotation_asked: boolean;
  readonly next_words: readonly string[];
}

/** Where it is, in words that the rules do not know: names of the roster and of the device. */
export interface Label {
  readonly vi: string;
  readonly en: string;
}

/** One line of the board. Times are seconds, UTC. */
export interface IncidentRow {
  readonly id: string;
  readonly state: IncidentState;
  readonly severity: Severity;
  readonly level: Level;
  readonly place: Label;
  readonly sentence: Reason;
  readonly opened_at: number;
  readonly changed_at: number;
  readonly version: number;
  readonly ill: number;
  readonly affected: number;
  readonly present: number;
  readonly district?: string;
  readonly unit?: string;
  readonly building?: string;
  readonly device?: string;
  readonly flapping?: boolean;
  readonly flapped?: boolean;
  readonly well_since?: number | null;
  readonly acknowledged_by?: string;
  readonly acknowledged_at?: number | null;
  readonly assignee?: string;
  readonly comments?: number;
  readonly escalated?: number;
  readonly children?: number;
  readonly parent?: string;
  readonly closed_at?: number | null;
  readonly closed_by?: string;
  readonly closed_note?: string;
}

/** ``time``: seconds, UTC, of the answer; ``people``: the accounts that rows name. */
export interface IncidentsAnswer {
  readonly time: number;
  readonly total: number;
  readonly incidents: readonly IncidentRow[];
  readonly people: readonly Handler[];
}

/** One incident's page. */
export interface IncidentAnswer {
  readonly time: number;
  readonly row: IncidentRow;
  readonly devices: readonly IncidentDevice[];
  readonly timeline: readonly TimelineEntry[];
  readonly children: readonly IncidentRow[];
  readonly notices: readonly NoticeLine[];
  readonly handlers: readonly Handler[];
  readonly people: readonly Handler[];
  readonly may_handle: boolean;
}

/** ``version`` is the one that was seen; refused as ``stale`` otherwise. */
export interface AskVersion {
  readonly version: number;
}

/** ``to``: an account; empty: nobody. */
export interface AskAssign {
  readonly to: string;
  readonly version: number;
}

export interface AskComment {
  readonly text: string;
}

export interface AskNote {
  readonly note: string;
  readonly version: number;
}

/** Which devices, what, how. ``pace``: None: as suits the act. */
export interface AskDryRun {
  readonly selection: Selection;
  readonly do: RestartPage | RestartAgent | Reboot | SetScreen | SetVolume | RefreshContent | CollectLogs | TakeScreenshot | TestCamera | TestPrinter | CheckLine | TakeOutOfService | ReturnToService;
  readonly plan?: AskPlan;
  readonly pace?: Pace | null;
}

/** Do what that dry run showed. Asked again under the same key it is the same bulk. */
export interface AskBulk {
  readonly token: string;
  readonly why: string;
  readonly request_key: string;
}

/** What would happen. Nothing has. Rows in the order of their turns, the refused ones last. */
export interface DryRunAnswer {
  readonly token: string;
  readonly ends_at: number;
  readonly second: boolean;
  readonly pace: Pace;
  readonly lasts_s: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: readonly ForeseenRow[];
  readonly reasons: readonly Reason[];
}

/** One bulk and how far it is. Its commands: ``GET /api/fleet/commands?bulk=``. */
export interface BulkRow {
  readonly id: string;
  readonly do: RestartPage | RestartAgent | Reboot | SetScreen | SetVolume | RefreshContent | CollectLogs | TakeScreenshot | TestCamera | TestPrinter | CheckLine | TakeOutOfService | ReturnToService;
  readonly by: string;
  readonly by_name: string;
  readonly why: string;
  readonly created_at: number;
  readonly second: boolean;
  readonly pace: Pace;
  readonly lasts_s: number;
  readonly many: number;
  readonly refused: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly districts: readonly string[];
  readonly may: readonly string[];
}

export interface BulksAnswer {
  readonly bulks: readonly BulkRow[];
}

/** How an act is to be done; what is None is as the table of acts says. */
export interface AskPlan {
  readonly ttl_s?: number | null;
  readonly waits_for_session?: boolean | null;
  readonly force_after_s?: number | null;
  readonly not_before?: number | null;
}

/** For one device. Asked again under the same key it is the same command. */
export interface AskCommand {
  readonly do: RestartPage | RestartAgent | Reboot | SetScreen | SetVolume | RefreshContent | CollectLogs | TakeScreenshot | TestCamera | TestPrinter | CheckLine | TakeOutOfService | ReturnToService;
  readonly why: string;
  readonly request_key: string;
  readonly plan?: AskPlan;
}

/** For approving (no reason needed), refusing and cancelling. */
export interface AskDecision {
  readonly why?: string;
}

/** A file that may be looked at: ``GET /api/fleet/evidence/{id}``. Each look is in the audit. */
export interface EvidenceRef {
  readonly id: string;
  readonly kind: string;
  readonly length_bytes: number;
  readonly taken_at: number;
}

/** One command. Times are seconds, UTC; None: has not happened. */
export interface CommandRow {
  readonly id: string;
  readonly device: string;
  readonly device_name: string;
  readonly do: RestartPage | RestartAgent | Reboot | SetScreen | SetVolume | RefreshContent | CollectLogs | TakeScreenshot | TestCamera | TestPrinter | CheckLine | TakeOutOfService | ReturnToService;
  readonly state: CommandState;
  readonly by: string;
  readonly by_name: string;
  readonly why: string;
  readonly created_at: number;
  readonly starts_at: number;
  readonly expires_at: number;
  readonly waits_for_session: boolean;
  readonly force_at: number | null;
  readonly second: boolean;
  readonly approved_by: string;
  readonly approved_at: number | null;
  readonly sent_at: number | null;
  readonly delivered_at: number | null;
  readonly claimed_at: number | null;
  readonly began_at: number | null;
  readonly ended_at: number | null;
  readonly ended_by: string;
  readonly reason: Reason | null;
  readonly outcome: Outcome | null;
  readonly late: Outcome | null;
  readonly bulk: string | null;
  readonly may: readonly string[];
  readonly evidence: readonly EvidenceRef[];
}

/** The newest first. ``before``: ask for the next page with it; None: there is none. */
export interface CommandsAnswer {
  readonly commands: readonly CommandRow[];
  readonly before: string | null;
}

/** One line of the table of acts. */
export interface ActInfo {
  readonly act: string;
  readonly beside: Beside;
  readonly danger: Danger;
  readonly ttl_s: number;
  readonly runs_at_most_s: number;
  readonly evidence: string | null;
}

/** What can be done, and when two persons are needed for it. */
export interface ActsAnswer {
  readonly acts: readonly ActInfo[];
  readonly bulk_is_many: number;
  readonly forced_soon_s: number;
  readonly least_ttl_s: number;
  readonly most_ttl_s: number;
}

/** The newest first. */
export interface BundlesAnswer {
  readonly bundles: readonly BundleRow[];
  readonly roles: readonly SigningRole[];
  readonly max_bytes: number;
}

/** The newest first. */
export interface RolloutList {
  readonly rollouts: readonly RolloutRow[];
}

/** One rollout with its plan and its figures. */
export interface RolloutDetail {
  readonly row: RolloutRow;
  readonly plan: RolloutPlan;
  readonly experience: Experience;
  readonly codes: readonly CodeCount[];
}

/** Those that need eyes first: failed, went back, under way, waiting, done. */
export interface MembersPage {
  readonly total: number;
  readonly members: readonly MemberRow[];
}

/** How many devices each ring of a plan would have, and how many cannot run the bundle. */
export interface RingsPreview {
  readonly rings: readonly number[];
  readonly left_out: number;
}

/** What people decide beforehand, and a second person approves. */
export interface RolloutPlan {
  readonly bundle: string;
  readonly rings: readonly Ring[];
  readonly title: string;
  readonly note: string;
  readonly kinds: readonly DeviceKind[];
  readonly gate: Gate;
  readonly transfer: Transfer;
}

/** Why it is stopped. */
export interface AskStop {
  readonly why?: string;
}

/** Which ring is started without waiting; counted from 0. */
export interface AskRing {
  readonly ring: number;
}

/** Which devices try again; none named: all that failed. */
export interface AskRetry {
  readonly devices?: readonly string[];
}

export interface Retried {
  readonly devices: number;
}

/** Which bundle they go back to; None: the last one of its kind that went to the end. */
export interface AskReturn {
  readonly bundle?: string | null;
}

/** One deed. ``at``: seconds, UTC. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: number;
  readonly account: string;
  readonly action: string;
  readonly device: string | null;
  readonly device_name: string;
  readonly address: string;
  readonly result: string;
  readonly values: Readonly<Record<string, string | number | number | boolean | null>>;
  readonly hash: string;
}

/** The newest first. ``before``: ask for the next page with it; None: there is none. */
export interface AuditAnswer {
  readonly entries: readonly AuditEntry[];
  readonly before: number | null;
}

/** Is it what was written? ``fault``: None where nothing is wrong. */
export interface AuditState {
  readonly count: number;
  readonly head: string;
  readonly verified_to: number;
  readonly verified_at: number | null;
  readonly fault_seq: number | null;
  readonly fault: string | null;
}

/** Every action there is an entry of, for the filter. */
export interface AuditActions {
  readonly actions: readonly string[];
}

/** Hà Nội's time; equal: none. From the evening to the morning, they go over midnight. */
export interface QuietHours {
  readonly from_minute: number;
  readonly to_minute: number;
}

/** One way out. */
export interface Route {
  readonly id: string;
  readonly name: string;
  readonly channel: "email" | "webhook";
  readonly addresses: readonly string[];
  readonly url: string;
  readonly on: boolean;
  readonly districts: readonly string[];
  readonly least: Severity;
  readonly escalations: boolean;
  readonly digest: boolean;
  readonly quiet: boolean;
  readonly language: "en" | "vi";
}

/** All of it. ``version`` counts changes. */
export interface NoticeSettings {
  readonly version: number;
  readonly routes: readonly Route[];
  readonly quiet: QuietHours;
  readonly escalate_critical_minutes: number;
  readonly escalate_major_minutes: number;
  readonly digest_minute: number;
  readonly silent_days: number;
}

/** ``mail_server`` empty: none is set up, and e-mail cannot be sent. No password, no key is in here. */
export interface SetupAnswer {
  readonly settings: NoticeSettings;
  readonly mail_server: string;
  readonly mail_sender: string;
  readonly private_webhooks: boolean;
}

export interface TestAnswer {
  readonly results: readonly TestLine[];
}

/** Shown this once. */
export interface SecretAnswer {
  readonly secret: string;
}

/** One notice in the list of what went out. */
export interface OutgoingNotice {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly route: string;
  readonly channel: string;
  readonly to: string;
  readonly subject: string;
  readonly created_at: number;
  readonly due_at: number;
  readonly done_at: number | null;
  readonly attempts: number;
  readonly code: string;
  readonly error: string;
}

/** A page, the latest first. */
export interface NoticesAnswer {
  readonly time: number;
  readonly total: number;
  readonly notices: readonly OutgoingNotice[];
}

/** One account. ``role`` None: it has no part in the fleet. */
export interface RoleRow {
  readonly account: string;
  readonly name: string;
  readonly role: FleetRole | null;
  readonly districts: readonly string[];
}

export interface RolesAnswer {
  readonly accounts: readonly RoleRow[];
}

/** What the account is to have from now on. */
export interface AskRole {
  readonly role: FleetRole | null;
  readonly districts?: readonly string[];
}
