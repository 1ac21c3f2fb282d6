import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const DJANGO = "http://127.0.0.1:8000";
const BASE = "/static/console/";

export default defineConfig({
  base: BASE,
  plugins: [react()],
  build: {
    manifest: true,
    target: "es2022",
    // The policy allows fonts and workers from our own address only, never from data:.
    assetsInlineLimit: 0,
    rollupOptions: { input: "src/main.ts" },
    chunkSizeWarningLimit: 1100,
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      "^/static/(?!console/)": DJANGO,
      "^/(api|admin|accounts|media|app)(/|$)": DJANGO,
      "^/ws/": { target: DJANGO.replace("http", "ws"), ws: true },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
} as Parameters<typeof defineConfig>[0]);
