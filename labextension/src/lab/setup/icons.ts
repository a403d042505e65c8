import { LabIcon } from '@jupyterlab/ui-components';

/** A loss that falls. */
export const curveIcon = new LabIcon({
  name: 'rnn-magics:curve',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round">
    <path d="M4 3v17h17"/><path d="M7 5c1 9 4 11 13 12"/>
  </g>
</svg>`
});

/** The same with a square: that it is to end. */
export const stopCurveIcon = new LabIcon({
  name: 'rnn-magics:stop-curve',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round">
    <path d="M4 3v17h17"/><path d="M7 5c.6 5 2 8 5 9.500"/>
  </g>
  <path class="jp-icon3" fill="#616161" d="M14 6h7v7h-7z"/>
</svg>`
});
