// Bundles the anywidget half: one ES module and one style sheet, with nothing loaded later.
import { build, context } from 'esbuild';

const options = {
  entryPoints: { widgets: 'src/widgets/index.ts' },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  outdir: '../rnn_magics/notebook/widgets/static',
  logLevel: 'warning'
};

if (process.argv.includes('--watch')) {
  await (await context(options)).watch();
} else {
  await build(options);
}
