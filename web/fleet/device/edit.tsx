/** Where a device stands and what it is called: the dialogue, and the fields that enrolment uses too. */
import { useMemo, useState } from "preact/hooks";
import type { DeviceAnswer, Place } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Confirm, Field, toast, useFleet, usePlaces, useRows } from "../ui";
import { isSound } from "./hours";
import { HoursEditor } from "./hours-editor";

export function EditDevice({ device, again, onClose }: { readonly device: DeviceAnswer; readonly again: () => void; readonly onClose: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const [name, setName] = useState(device.row.name);
  const [place, setPlace] = useState(device.place);
  return (
    <Confirm
      title={t("device.edit").replace("…", "")}
      verb={t("ui.save")}
      wide
      disabled={name.trim() === "" || place.unit === "" || !isSound(place.hours)}
      onDo={async () => {
        await fleet.ask(`/devices/${encodeURIComponent(device.row.id)}`, { method: "PATCH", body: { name: name.trim(), place } });
        again();
        toast(t("device.saved"));
      }}
      onClose={onClose}
      testid="edit"
    >
      <Field label={t("device.name")}>
        <input class="input" value={name} maxLength={100} required data-first onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <PlaceFields place={place} onChange={setPlace} />
    </Confirm>
  );
}

/** A place without anything in it, to begin with. */
export const NOWHERE: Place = {
  unit: "",
  building: "",
  floor: "",
  note: "",
  contact: { name: "", phone: "", email: "" },
  hours: [],
  mm_per_px: null,
  camera: "",
  low_reach_mm: null,
};

/** All of a place. Only districts of this person are offered. */
export function PlaceFields({ place, onChange }: { readonly place: Place; readonly onChange: (place: Place) => void }) {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const [district, setDistrict] = useState(places?.unit.get(place.unit)?.district ?? "");
  const units = useMemo(() => (places?.units ?? []).filter((unit) => unit.district === district), [places, district]);
  const rows = useRows();
  /** Of the unit's other devices: the same building is written in the same way. */
  const buildings = useMemo(
    () => [...new Set([...rows.values()].filter(({ unit, building }) => unit === place.unit && building !== "").map(({ building }) => building))].sort(),
    [rows, place.unit],
  );
  const change = (part: Partial<Place>) => onChange({ ...place, ...part });
  const contact = (part: Partial<Place["contact"]>) => change({ contact: { ...place.contact, ...part } });
  const number = (text: string): number | null => (text.trim() === "" ? null : Number(text));
  return (
    <div class="place-fields">
      <Field label={t("place.district")}>
        <select
          class="input"
          value={district}
          required
          data-testid="place-district"
          onChange={(event) => {
            setDistrict(event.currentTarget.value);
            change({ unit: "" });
          }}
        >
          <option value="" />
          {(places?.districts ?? [])
            .filter(({ code }) => fleet.covers(code))
            .map(({ code, name }) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
        </select>
      </Field>
      <Field label={t("place.unit")}>
        <select class="input" value={place.unit} required data-testid="place-unit" onChange={(event) => change({ unit: event.currentTarget.value })}>
          <option value="" />
          {units.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t("place.building")} hint={t("place.building.hint")}>
        <input class="input" list="buildings" value={place.building} maxLength={100} data-testid="place-building" onInput={(event) => change({ building: event.currentTarget.value })} />
      </Field>
      <datalist id="buildings">
        {buildings.map((building) => (
          <option key={building} value={building} />
        ))}
      </datalist>
      <Field label={t("place.floor")}>
        <input class="input" value={place.floor} maxLength={30} onInput={(event) => change({ floor: event.currentTarget.value })} />
      </Field>
      <div class="whole">
        <Field label={t("place.note")} hint={t("place.note.hint")}>
          <input class="input" value={place.note} maxLength={300} onInput={(event) => change({ note: event.currentTarget.value })} />
        </Field>
      </div>
      <fieldset class="whole">
        <legend>{t("place.contact")}</legend>
        <div class="three">
          <Field label={t("place.contact.name")}>
            <input class="input" value={place.contact.name} maxLength={100} onInput={(event) => contact({ name: event.currentTarget.value })} />
          </Field>
          <Field label={t("place.contact.phone")}>
            <input class="input" type="tel" value={place.contact.phone} maxLength={30} onInput={(event) => contact({ phone: event.currentTarget.value })} />
          </Field>
          <Field label={t("place.contact.email")}>
            <input class="input" type="email" value={place.contact.email} maxLength={100} onInput={(event) => contact({ email: event.currentTarget.value })} />
          </Field>
        </div>
      </fieldset>
      <fieldset class="whole">
        <legend>{t("place.hours")}</legend>
        <HoursEditor hours={place.hours} onChange={(hours) => change({ hours })} />
      </fieldset>
      <div class="whole three">
        <Field label={t("place.camera")} hint={t("place.camera.hint")}>
          <input class="input" value={place.camera} maxLength={100} onInput={(event) => change({ camera: event.currentTarget.value })} />
        </Field>
        <Field label={t("place.mm")}>
          <input
            class="input"
            type="number"
            min="0.01"
            max="5"
            step="0.01"
            value={place.mm_per_px ?? ""}
            onInput={(event) => change({ mm_per_px: number(event.currentTarget.value) })}
          />
        </Field>
        <Field label={t("place.reach")}>
          <input
            class="input"
            type="number"
            min="0"
            max="3000"
            value={place.low_reach_mm ?? ""}
            onInput={(event) => change({ low_reach_mm: number(event.currentTarget.value) })}
          />
        </Field>
      </div>
    </div>
  );
}
