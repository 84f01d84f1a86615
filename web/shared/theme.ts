import { useLayoutEffect } from "preact/hooks";

/** Ink on paper, or near-white on navy for what is read from across a room. */
export function useTheme(dark: boolean): void {
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  }, [dark]);
}
