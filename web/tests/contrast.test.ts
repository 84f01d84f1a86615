import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Rgb = readonly [number, number, number];

const CSS = readFileSync("shared/tokens.css", "utf8"); // npm runs us in the package's folder
const [, LIGHT = "", DARK = ""] = /:root \{(.*?)\n\}.*?:root\[data-theme="dark"\] \{(.*?)\n\}/s.exec(CSS) ?? [];

function tokens(...blocks: readonly string[]): ReadonlyMap<string, Rgb> {
  const found = blocks.flatMap((block) => [...block.matchAll(/--([\w-]+): #([0-9a-f]{6});/g)]);
  return new Map(found.map(([, name = "", hex = ""]) => [name, rgb(hex)]));
}

function rgb(hex: string): Rgb {
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const BY_THEME = { light: tokens(LIGHT), dark: tokens(LIGHT, DARK) } as const;

function check(theme: keyof typeof BY_THEME, least: number, pairs: readonly (readonly [string, string])[]): void {
  const all = BY_THEME[theme];
  for (const [ink, ground] of pairs) {
    const [a, b] = [all.get(ink), all.get(ground)];
    assert.ok(a !== undefined && b !== undefined, `${ink} or ${ground} is no token`);
    const ratio = contrast(a, b);
    assert.ok(ratio >= least, `${theme}: ${ink} on ${ground} is ${ratio.toFixed(2)}, less than ${least}`);
  }
}

const INKS = ["ink", "ink-2", "quiet", "accent", "live", "ok", "warn"];
const GROUNDS = ["paper", "card", "well"];
const TEXTS: readonly (readonly [string, string])[] = INKS.flatMap((ink) => GROUNDS.map((ground) => [ink, ground] as const));
const FILLED = [
  ["on-accent", "accent"],
  ["on-accent", "accent-press"],
  ["on-live", "live"],
  ["on-stage", "stage"],
  ["ink", "accent-wash"],
  ["ink", "warn-wash"],
  ["ink", "live-wash"],
  ["ink-2", "accent-wash"],
  ["accent", "accent-wash"],
] as const;

test("the measure is WCAG's", () => {
  assert.equal(contrast(rgb("000000"), rgb("ffffff")), 21);
  assert.equal(contrast(rgb("777777"), rgb("ffffff")).toFixed(2), "4.48");
});

test("text on work pages has 4.5 : 1", () => {
  check("light", 4.5, [...TEXTS, ...FILLED, ["live", "live-wash"]]);
});

test("text on the ward's screen has 7 : 1", () => {
  check("dark", 7, [...TEXTS, ...FILLED]);
});

test("states of devices are read on the fleet's pages, and their shapes seen", () => {
  const css = readFileSync("fleet/fleet.css", "utf8");
  const [, light = "", dark = ""] = /:root \{(.*?)\n\}.*?:root\[data-theme="dark"\] \{(.*?)\n\}/s.exec(css) ?? [];
  const resolved = (own: ReadonlyMap<string, Rgb>, theme: keyof typeof BY_THEME): ReadonlyMap<string, Rgb> => {
    const named = [...light.matchAll(/--([\w-]+): var\(--([\w-]+)\);/g)].flatMap(([, name = "", of = ""]) => {
      const colour = BY_THEME[theme].get(of);
      return colour === undefined ? [] : [[name, colour] as const];
    });
    return new Map([...BY_THEME[theme], ...named, ...own]);
  };
  for (const [theme, own] of [["light", tokens(light)], ["dark", tokens(light, dark)]] as const) {
    const all = resolved(own, theme);
    const states = [...all.keys()].filter((name) => name.startsWith("s-"));
    assert.equal(states.length, 8);
    for (const state of states) {
      for (const ground of ["card", "paper", "well", "hover", "accent-wash"]) {
        const ratio = contrast(all.get(state)!, all.get(ground)!);
        assert.ok(ratio >= 4.5, `${theme}: ${state} on ${ground} is ${ratio.toFixed(2)}`);
      }
      const cut = contrast(all.get("on-shape")!, all.get(state)!);
      assert.ok(cut >= 4.5, `${theme}: what is cut out of ${state} is ${cut.toFixed(2)}`);
    }
  }
});

test("edges of controls and the focus have 3 : 1", () => {
  for (const theme of ["light", "dark"] as const) {
    check(theme, 3, [...GROUNDS, "accent-wash"].flatMap((ground) => [["rule-strong", ground], ["focus", ground]] as const));
  }
});

test("what lies over a picture is read on the brightest one too", () => {
  const over = (alpha: number): Rgb => [6, 21, 46].map((part) => part * alpha + 255 * (1 - alpha)) as unknown as Rgb;
  for (const ink of ["ink", "ok", "warn"]) {
    const colour = BY_THEME.dark.get(ink);
    assert.ok(colour !== undefined && contrast(colour, over(0.92)) >= 7, `${ink} in the lower bar`);
  }
  assert.ok(contrast(rgb("f4f7fb"), over(0.84)) >= 7, "a name on a picture");
});
