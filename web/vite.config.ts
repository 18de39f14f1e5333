// The page is served by the API at `/`; relative addresses let it live under a proxy's prefix as well.
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../api/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false }, // one entry; the polyfill would be an inline script on old browsers
    chunkSizeWarningLimit: 1600, // MapLibre alone is 1.1 MB before compression
  },
  worker: { format: "es" },
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
});
