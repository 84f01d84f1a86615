import { defineConfig } from "vite";

/** The page of the device's own screen, built into what the agent serves: below a path that changes, hence the relative addresses. */
export default defineConfig({
  base: "./",
  publicDir: false,
  build: {
    outDir: "../kiosk_client/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["kiosk.html"] },
  },
});
