/** Where a device stands, in words. */
import type { DeviceRow } from "../shared/fleet-wire";
import type { Places } from "./store/fleet";

/** "Phường Phúc Xá, Ba Đình". */
export function unitWords(places: Places | null, row: Pick<DeviceRow, "unit" | "district">): string {
  const unit = places?.unit.get(row.unit)?.name ?? row.unit;
  const district = places?.district.get(row.district)?.name;
  return district === undefined ? unit : `${unit}, ${shortName(district)}`;
}

/** "Nhà văn hóa số 3 · Phường Phúc Xá, Ba Đình". */
export function whereWords(places: Places | null, row: Pick<DeviceRow, "unit" | "district" | "building">): string {
  return [row.building, unitWords(places, row)].filter((part) => part !== "").join(" · ");
}

/** "Quận Đống Đa" → "Đống Đa": the kind is left out where there is no room for it. */
export function shortName(name: string): string {
  return name.replace(/^(Quận|Huyện|Thị xã|Thành phố|Phường|Xã|Thị trấn) /, "");
}
