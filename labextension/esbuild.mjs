// Bundles the anywidget half, and the script of a page of its own: for each one script and one style sheet.
import { build, context } from 'esbuild';

const options = {
  bundle: true,
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  logLevel: 'warning'
};
const bundles = [
  {
    ...options,
    entryPoints: { widgets: 'src/widgets/index.ts' },
    format: 'esm',
    outdir: '../rnn_magics/notebook/widgets/static'
  },
  { ...options, entryPoints: { page: 'src/page/index.ts' }, format: 'iife', outdir: '../rnn_magics/handout/static' }
];

for (const bundle of bundles) {
  if (process.argv.includes('--watch')) {
    await (await context(bundle)).watch();
  } else {
    await build(bundle);
  }
}
