/** The schematic map of tiles, for whoever draws it: the way of the arrows, and tiles that are not drawn twice. */
import type { VNode } from "preact";
import { useRef } from "preact/hooks";

export interface Spot {
  readonly row: number;
  readonly col: number;
}

/** The nearest tile in the arrow's direction, as its index in `all`. */
export function neighbour(all: readonly Spot[], from: Spot, key: string): number | null {
  const ways: Readonly<Record<string, readonly [number, number]>> = {
    ArrowRight: [0, 1],
    ArrowLeft: [0, -1],
    ArrowDown: [1, 0],
    ArrowUp: [-1, 0],
  };
  const way = ways[key];
  if (way === undefined) return null;
  let best: { readonly index: number; readonly far: number } | null = null;
  for (const [index, to] of all.entries()) {
    const along = (to.row - from.row) * way[0] + (to.col - from.col) * way[1];
    const aside = Math.abs((to.row - from.row) * way[1]) + Math.abs((to.col - from.col) * way[0]);
    if (along <= 0) continue;
    const far = along + 2.5 * aside;
    if (best === null || far < best.far) best = { index, far };
  }
  return best?.index ?? null;
}

/** Tiles already drawn from the same values are used again: 579 cells are not compared ten times a second. */
export function useTiles(): (code: string, from: readonly unknown[], draw: () => VNode) => VNode {
  const kept = useRef(new Map<string, { readonly from: readonly unknown[]; readonly tile: VNode }>());
  return (code, from, draw) => {
    const before = kept.current.get(code);
    if (before?.from.length === from.length && from.every((value, i) => Object.is(value, before.from[i]))) {
      return before.tile;
    }
    const tile = draw();
    kept.current.set(code, { from, tile });
    return tile;
  };
}
