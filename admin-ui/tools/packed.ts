/* Writes name.br and name.gz beside every text file of the build that gains by it: the control plane sends them as they lie
 * (control-plane/http/static.c) and never packs anything itself. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const TEXT = /\.(js|css|html|svg|json|txt)$/;
const MIN_BYTES = 1024;

async function pack(path: string): Promise<void> {
  const plain = await readFile(path);
  if (plain.length < MIN_BYTES) return;
  await writeFile(`${path}.gz`, gzipSync(plain, { level: 9 }));
  await writeFile(`${path}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}

async function packAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await packAll(path);
    else if (TEXT.test(entry.name)) await pack(path);
  }
}

export function packed(): Plugin {
  let folder = 'dist';
  return {
    name: 'sluice-packed',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      await packAll(folder);
    },
  };
}
