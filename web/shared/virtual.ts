/** Which rows of a long list of equal rows need to be drawn. Pure but for the hook that watches the box. */
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

const BEYOND = 6; // rows drawn above and below what is seen

export interface Window {
  readonly from: number;
  readonly to: number;
}

export function windowOf(top_px: number, height_px: number, row_px: number, total: number): Window {
  const from = Math.max(0, Math.floor(top_px / row_px) - BEYOND);
  const to = Math.min(total, Math.ceil((top_px + height_px) / row_px) + BEYOND);
  return { from: Math.min(from, to), to };
}

/** The window of a scrolling box, and a way to bring a row into it. */
export function useWindow(
  box: RefObject<HTMLElement | null>,
  row_px: number,
  total: number,
): { readonly window: Window; readonly show: (index: number) => void } {
  const [place, setPlace] = useState({ from_px: 0, height_px: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    // Whole rows only: scrolling within a row draws nothing anew.
    const look = () =>
      setPlace((before) => {
        const now = { from_px: Math.floor(element.scrollTop / row_px) * row_px, height_px: element.clientHeight + row_px };
        return before.from_px === now.from_px && before.height_px === now.height_px ? before : now;
      });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const show = (index: number) => {
    const element = box.current;
    if (element === null) return;
    const above = index * row_px;
    if (above < element.scrollTop) element.scrollTop = above;
    else if (above + row_px > element.scrollTop + element.clientHeight) {
      element.scrollTop = above + row_px - element.clientHeight;
    }
  };
  return { window: windowOf(place.from_px, place.height_px, row_px, total), show };
}
