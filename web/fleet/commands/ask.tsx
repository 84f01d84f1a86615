/** A dialogue: one command for one device. */
import { useRef, useState } from "preact/hooks";
import type { ActsAnswer, CommandRow, DeviceRow } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Confirm, toast, useFleet } from "../ui";
import { ActFields } from "./form";
import { askedBy, emptyForm, needsSecond } from "./form-state";
import { actWords, requestKey, type ActName } from "./words";

interface Props {
  readonly device: DeviceRow;
  readonly acts: ActsAnswer;
  readonly first?: ActName;
  readonly onAsked: (command: CommandRow) => void;
  readonly onClose: () => void;
}

export function AskCommand({ device, acts, first = "restart-page", onAsked, onClose }: Props) {
  const t = useT();
  const fleet = useFleet();
  const [form, setForm] = useState(() => emptyForm(first, t("commands.message.default")));
  const key = useRef(requestKey());
  const asked = askedBy(form, acts);
  const send = async () => {
    if (asked === null) return;
    const command = await fleet.ask<CommandRow>(`/devices/${encodeURIComponent(device.id)}/commands`, {
      method: "POST",
      body: { ...asked, request_key: key.current },
    });
    const waiting = command.state === "awaiting-approval";
    toast(t(waiting ? "commands.sent.waiting" : "commands.sent", { act: actWords(t, command.do) }));
    onAsked(command);
  };
  return (
    <Confirm
      title={t("commands.ask.title", { name: device.name })}
      verb={t("commands.send")}
      danger={needsSecond(form, acts, 1)}
      disabled={asked === null}
      onDo={send}
      onClose={onClose}
      wide
      testid="ask-command"
    >
      <ActFields
        form={form}
        acts={acts}
        devices={1}
        onChange={(next) => {
          key.current = requestKey();
          setForm(next);
        }}
      />
      {device.connected !== true && <p class="hint">{t("commands.ask.offline")}</p>}
    </Confirm>
  );
}
