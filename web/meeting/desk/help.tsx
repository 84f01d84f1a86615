import { Dialog } from "../../shared/dialog";
import { useT } from "../../shared/i18n";
import type { Key } from "../../shared/i18n/vi";

type Line = readonly [keys: string, says: Key];

const GROUPS: readonly (readonly [Key, readonly Line[]])[] = [
  [
    "key.groups.meeting",
    [
      ["N", "key.next"],
      ["T", "key.take"],
      ["M", "key.mute"],
      ["Shift M", "key.unmute"],
      ["1 2 3 4", "key.modes"],
      ["H", "key.host"],
      ["K", "key.lock"],
      ["G", "key.recording"],
      ["Z", "key.undo"],
      ["Shift E", "key.end"],
    ],
  ],
  [
    "key.groups.self",
    [
      ["I", "key.microphone"],
      ["C", "key.camera"],
      ["S", "key.share"],
    ],
  ],
  [
    "key.groups.wall",
    [
      ["PgDn PgUp", "key.wall.page"],
      ["← ↑ → ↓", "key.wall.move"],
      ["Enter", "key.wall.menu"],
    ],
  ],
  [
    "key.groups.go",
    [
      ["/", "key.search"],
      ["L", "key.list"],
      ["Q", "key.queue"],
      ["B", "key.city"],
      ["W", "key.wall"],
      ["?", "key.help"],
      ["Esc", "key.escape"],
    ],
  ],
  [
    "key.row",
    [
      ["↑ ↓", "key.row.arrows"],
      ["Enter", "key.row.menu"],
      ["F", "key.row.floor"],
      ["P", "key.row.main"],
      ["O", "key.row.tile"],
      ["X", "key.row.mute"],
      ["V", "key.row.excuse"],
      ["D", "key.row.links"],
    ],
  ],
];

/** Every key of the desk, on one page. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  const t = useT();
  return (
    <Dialog title={t("desk.help")} onClose={onClose} class="help" testid="help">
      <div class="keys">
        {GROUPS.map(([group, lines]) => (
          <section key={group}>
            <h3>{t(group as "key.row")}</h3>
            <dl>
              {lines.map(([keys, says]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((one) => (
                      <kbd key={one}>{one}</kbd>
                    ))}
                  </dt>
                  <dd>{t(says as "key.row")}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <div class="buttons">
        <button class="btn" data-first onClick={onClose}>
          {t("desk.help.close")}
        </button>
      </div>
    </Dialog>
  );
}
