// Bundles the page: `node build.mjs` writes it, `node build.mjs --verify` fails if what is committed differs.
// The bundle begins with a digest of its sources, so that a Maven build without Node can tell that it is stale.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '../resources/io/camhook/report');

async function digest() {
  const hash = createHash('sha256');
  const names = (await readdir(join(here, 'src'))).filter(name => /\.(js|css)$/.test(name)).sort();
  for (const name of names) {
    hash.update(name + '\0');
    hash.update(await readFile(join(here, 'src', name)));
    hash.update('\0');
  }
  return hash.digest('hex');
}

async function bundle(entry, options) {
  const result = await build({
    entryPoints: [join(here, 'src', entry)], bundle: true, minify: true, write: false, charset: 'utf8', legalComments: 'none', logLevel: 'warning', ...options,
  });
  return result.outputFiles[0].text;
}

const sources = await digest();
const outputs = {
  'report.js': `/* made by build.mjs, sources ${sources} */\n` + await bundle('main.js', { format: 'iife', target: ['es2022'] }),
  'report.css': `/* made by build.mjs, sources ${sources} */\n` + await bundle('page.css', { target: ['chrome109', 'firefox115', 'safari16'] }),
};
let stale = 0;
for (const [name, text] of Object.entries(outputs)) {
  if (text.includes('</script')) throw new Error(`${name} would end its element`);
  const file = join(target, name);
  if (process.argv.includes('--verify')) {
    const old = await readFile(file, 'utf8').catch(() => '');
    if (old !== text) { stale++; console.error(`${file} is not what its sources give: run npm ci && npm run build in cam-processor/src/main/frontend and commit it`); }
  } else {
    await writeFile(file, text);
    console.log(`${name}: ${(text.length / 1000).toFixed(1)} kB`);
  }
}
process.exit(stale ? 1 : 0);
