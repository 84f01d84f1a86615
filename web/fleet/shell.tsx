/** Around every page: where one can go, who one is, and how fresh what is shown is. */
import { useEffect } from "preact/hooks";
import { clock, number } from "../shared/i18n";
import { useStore } from "../shared/store";
import { useT } from "./i18n";
import { ICONS } from "./icons";
import { Languages } from "./languages";
import { pageOf, partOf, PARTS } from "./pages";
import { place } from "./router";
import { useFleet } from "./store/use";
import { setTheme, theme } from "./theme";
import { Empty } from "./ui/nothing";
import { Toasts } from "./ui/toast";
import { WallPage } from "./wall";

interface Props {
  readonly wall: boolean;
  readonly onOut: () => void;
}

export function Shell({ wall, onOut }: Props) {
  const t = useT();
  const fleet = useFleet();
  const { path } = useStore(place);
  const part = partOf(path);
  const stale = useStore(fleet.freshness, ({ stale_since }) => stale_since);

  // A skip link and a new page both begin at the top of the content.
  useEffect(() => document.getElementById("content")?.scrollTo(0, 0), [path.join("/")]);

  if (wall) return <WallPage />;
  return (
    <div class="fleet" data-stale={stale !== null}>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), document.getElementById("content")?.focus())}>
        {t("fleet.skip")}
      </a>
      <aside class="rail">
        <a class="brand" href="/fleet">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>
            <strong>{t("app")}</strong>
            <span>{t("fleet.app")}</span>
          </span>
        </a>
        <nav aria-label={t("fleet.navigation")}>
          {PARTS.filter(({ needs }) => fleet.allows(needs)).map((one) => (
            <a
              key={one.path}
              href={one.path === "" ? "/fleet" : `/fleet/${one.path}`}
              aria-current={one === part ? "page" : undefined}
              data-nav={one.path === "" ? "devices" : one.path}
            >
              {one.icon}
              <span>{t(one.word)}</span>
              {one.path === "incidents" && <OpenIncidents />}
            </a>
          ))}
        </nav>
        <Me onOut={onOut} />
      </aside>
      <div class="main">
        <Fresh />
        <main id="content" tabIndex={-1}>
          {part === null ? (
            <Empty title={t("nav.notfound")}>
              <p>{t("nav.notfound.text")}</p>
              <a class="btn" href="/fleet">
                {t("nav.devices")}
              </a>
            </Empty>
          ) : fleet.allows(part.needs) ? (
            pageOf(path)
          ) : (
            <Empty title={t("nav.notyours")} />
          )}
        </main>
      </div>
      <Toasts />
    </div>
  );
}

/** How many incidents are open, by what the rows say they belong to. */
function OpenIncidents() {
  const fleet = useFleet();
  const n = useStore(fleet.state, ({ rows }) => {
    const open = new Set<string>();
    for (const { incident } of rows.values()) if (incident != null) open.add(incident);
    return open.size;
  });
  return n === 0 ? null : <strong class="badge">{number(n)}</strong>;
}

/** Honest when stale: a banner says since when nothing was heard. Its place is kept by the status line otherwise. */
function Fresh() {
  const t = useT();
  const fleet = useFleet();
  const { line, stale_since } = useStore(fleet.freshness);
  if (stale_since !== null) {
    return (
      <p class="fresh stale" role="alert" data-testid="stale">
        {t("feed.stale", { time: clock(stale_since) })}
      </p>
    );
  }
  return (
    <p class="fresh sr" role="status" data-testid="fresh" data-line={line}>
      {line === "open" ? t("feed.live") : t("feed.connecting")}
    </p>
  );
}

function Me({ onOut }: { readonly onOut: () => void }) {
  const t = useT();
  const { staff } = useFleet();
  const dark = useStore(theme) === "dark";
  const role = staff.role === "technician" || staff.role === "administrator" ? staff.role : "viewer";
  const where = staff.districts.length === 0 ? "" : ` · ${t("role.fleet.districts", { n: staff.districts.length })}`;
  return (
    <div class="me">
      <p data-testid="me">
        <strong>{staff.name}</strong>
        <span>
          {t(`role.fleet.${role}`)}
          {where}
        </span>
      </p>
      <div class="row">
        <Languages />
        <button
          class="btn quiet icon-only"
          aria-label={t(dark ? "theme.light" : "theme.dark")}
          title={t(dark ? "theme.light" : "theme.dark")}
          data-testid="theme"
          onClick={() => setTheme(dark ? "light" : "dark")}
        >
          {dark ? ICONS.sun : ICONS.moon}
        </button>
        <a class="btn quiet icon-only" href="/fleet/map?wall=1" aria-label={t("nav.wall")} title={t("nav.wall")}>
          {ICONS.wall}
        </a>
        <button class="btn quiet icon-only" aria-label={t("login.out")} title={t("login.out")} data-testid="out" onClick={onOut}>
          {ICONS.out}
        </button>
      </div>
    </div>
  );
}
