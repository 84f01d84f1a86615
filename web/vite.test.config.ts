import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const files = readdirSync(new URL("tests", import.meta.url)).filter((name) => name.endsWith(".test.ts"));

/** The unit tests, compiled for Node's own test runner: no test framework to install. */
export default defineConfig({
  publicDir: false,
  build: {
    ssr: true,
    outDir: "node_modules/.tests",
    emptyOutDir: true,
    target: "node20",
    rollupOptions: { input: files.map((name) => `tests/${name}`), output: { entryFileNames: "[name].mjs", chunkFileNames: "parts/[name].mjs" } },
  },
});
