import type { viMap } from "./vi-map";

export const enMap: Readonly<Record<keyof typeof viMap, string>> = {
  "map.sub": "{n} devices in {districts} districts",
  "map.open": "Open incidents",
  "map.quiet": "There is no incident now.",
  "map.incidents": "{n} open incidents",
  "map.devices": "{n} devices",
  "map.nothing": "0 devices",
  "map.nothing.text": "There is no device in this district yet.",
  "map.notyours": "Not yours",
  "map.notyours.text": "This district is not one of yours.",
  "map.list": "Show the list",
};
