/** Light for the desk, dark for a wall screen; what was chosen is kept. */
import { Store } from "../shared/store";

const KEY = "diemcau.fleet.theme";

export type Theme = "light" | "dark";

export const theme = new Store<Theme>(localStorage.getItem(KEY) === "dark" ? "dark" : "light");

export function setTheme(next: Theme): void {
  localStorage.setItem(KEY, next);
  theme.set(next);
}
