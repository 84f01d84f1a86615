/** What went out, what waits, and what was given up, to be tried again. */
import type { NoticesAnswer, OutgoingNotice } from "../../shared/fleet-wire";
import { refusal, useT } from "../i18n";
import { noticeKind, noticeState } from "../incidents/one";
import { place, setQuery } from "../router";
import { Empty, FilterBar, Mark, Moment, Problem, Select, Skeleton, Table, useAct, useFleet, useLive, useNow, useStore, type Column, type Tone } from "../ui";

const TONE: Readonly<Record<string, Tone>> = { sent: "ok", waiting: "info", dead: "bad", dropped: "quiet" };

export function OutgoingTab() {
  const t = useT();
  const fleet = useFleet();
  const state = useStore(place, (now) => now.query.get("state") ?? "");
  const { waiting, act } = useAct();
  const asked = useLive(
    () => fleet.ask<NoticesAnswer>(`/notices?limit=200${state === "" ? "" : `&state=${encodeURIComponent(state)}`}`),
    [state],
    (changed) => changed.incidents.length > 0,
    Math.floor(useNow() / 15),
  );
  const retry = (notice: OutgoingNotice) =>
    act(async () => {
      await fleet.ask(`/notices/${encodeURIComponent(notice.id)}/retry`, { method: "POST" });
      asked.again();
    }, t("setup.retried"));
  const columns: readonly Column<OutgoingNotice>[] = [
    { id: "state", head: t("setup.out.state"), width: "170px", cell: (one) => <Mark tone={TONE[one.state] ?? "quiet"}>{noticeState(t, one.state)}</Mark> },
    { id: "at", head: t("setup.out.at"), width: "120px", cell: (one) => <Moment at={one.done_at ?? one.due_at} /> },
    { id: "kind", head: t("setup.out.kind"), width: "130px", wide: true, cell: (one) => noticeKind(t, one.kind) },
    {
      id: "what",
      head: t("setup.out.what"),
      width: "minmax(0, 3fr)",
      cell: (one) => (
        <span class="what" title={one.subject}>
          <span>{one.subject}</span>
          {one.code !== "" && (
            <span class="aside" title={one.error}>
              {refusal(t, one.code)}
            </span>
          )}
        </span>
      ),
    },
    {
      id: "to",
      head: t("setup.out.to"),
      width: "minmax(0, 1.5fr)",
      cell: (one) => (
        <span class="what">
          <span>{one.route}</span>
          <span class="aside">{one.to}</span>
        </span>
      ),
    },
    { id: "tries", head: t("setup.out.tries"), width: "70px", numeric: true, cell: (one) => one.attempts },
    {
      id: "act",
      head: "",
      width: "110px",
      cell: (one) =>
        one.state === "dead" && (
          <button class="btn small" disabled={waiting} data-testid="retry" onClick={() => retry(one)}>
            {t("setup.retry")}
          </button>
        ),
    },
  ];
  return (
    <>
      <FilterBar label={t("setup.out.filter")}>
        <Select
          label={t("setup.out.state")}
          all={t("ui.all")}
          value={state}
          options={["dead", "waiting", "sent", "dropped"].map((value) => ({ value, label: noticeState(t, value) }))}
          onChange={(value) => setQuery({ state: value })}
          testid="out-state"
        />
      </FilterBar>
      {asked.value === undefined ? (
        asked.error === null ? (
          <Skeleton />
        ) : (
          <Problem error={asked.error} again={asked.again} />
        )
      ) : (
        <Table
          label={t("setup.tab.outgoing")}
          rows={asked.value.notices}
          columns={columns}
          keyOf={(one) => one.id}
          rowPx={60}
          testid="outgoing"
          empty={<Empty title={t("setup.out.none")} />}
        />
      )}
    </>
  );
}
