import { Dialog } from "../../shared/dialog";
import { useT } from "../../shared/i18n";
import type { Room } from "../room";
import { useArrowsWithin } from "./people";

/** Leaving on purpose costs the floor and the place in the queue, so it is asked. */
export function Leaving({ room, onClose }: { readonly room: Room; readonly onClose: () => void }) {
  const t = useT();
  const buttons = useArrowsWithin();
  return (
    <Dialog title={t("site.leave.title")} onClose={onClose} class="from-afar">
      <p>{t("site.leave.text")}</p>
      <div class="buttons" ref={buttons}>
        <button class="btn" data-first onClick={onClose}>
          {t("site.leave.no")}
        </button>
        <button class="btn danger" data-testid="leave-yes" onClick={() => room.leave()}>
          {t("site.leave.yes")}
        </button>
      </div>
    </Dialog>
  );
}
