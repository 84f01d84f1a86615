import { defineConfig } from "vite";

/**
 * Three page apps, the meetings', the fleet's and the bridge point's own, built into what the server serves. Nothing is inlined: the server's Content-Security-Policy
 * lets scripts, styles and fonts come from files of our own only.
 */
export default defineConfig({
  base: "/",
  publicDir: "public",
  build: {
    outDir: "../signaling/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rollupOptions: { input: ["index.html", "fleet.html", "bridge.html"] },
  },
});
