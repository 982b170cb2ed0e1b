import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { defs } from './tools/defs';
import { guide } from './tools/guide';
import { packed } from './tools/packed';

const source = fileURLToPath(new URL('./src', import.meta.url));

export default defineConfig({
  plugins: [react(), defs(), guide(), packed()],
  resolve: { alias: { '~': source } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page policy knows no data: but for images
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
    rollupOptions: { output: { experimentalMinChunkSize: 8_000 } }, // an icon is no file of its own
  },
  // `npm run dev` beside a running stack; SLUICE_CONTROL names another control plane.
  server: { proxy: { '/v1': process.env.SLUICE_CONTROL ?? 'http://127.0.0.1:8788' } },
  test: { include: ['src/**/*.test.ts', 'tools/**/*.test.ts'], environment: 'node' },
});
