import type { viWall } from "./vi-wall";

export const enWall: Readonly<Record<keyof typeof viWall, string>> = {
  "wall.title": "Kiosks and bridge points of Hà Nội",
  "wall.full": "Full screen",
  "wall.leave": "Leave",
};
