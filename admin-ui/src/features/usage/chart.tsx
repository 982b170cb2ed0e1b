/* Bars over time, drawn by uPlot on a canvas. A page of its own as far as the build is concerned: it is fetched with its library when a
 * chart is shown. Colours are the tokens'; another theme draws anew. */
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTheme } from '~/app/theme';
import { useMedia } from '~/lib/use-media';
import css from './usage.module.css';

const HEIGHT_PX = 220;
const BAR_MAX_PX = 42;

interface ChartProps {
  times: number[]; // ms
  values: number[];
  /** What the chart says, for those who do not see it. */
  label: string;
  words: (value: number) => string;
  timeWords: (time: number) => string;
}

function token(element: Element, name: string): string {
  // A light-dark() pair is resolved only in a property that takes a colour.
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function optionsOf(
  box: HTMLElement,
  { words, timeWords }: ChartProps,
  onHover: (index: number | undefined) => void,
): uPlot.Options {
  const line = token(box, '--line');
  const text = token(box, '--text-faint');
  const bar = token(box, '--accent-fill');
  const axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(box).fontFamily}`,
  };
  const bars = uPlot.paths.bars?.({ size: [0.72, BAR_MAX_PX], radius: 0.12 });
  return {
    width: box.clientWidth,
    height: HEIGHT_PX,
    ms: 1,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { y: { range: (_, _least, most) => [0, most <= 0 ? 1 : most * 1.08] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 90, values: (_, at) => at.map(timeWords) },
      { ...axis, size: 76, values: (_, at) => at.map(words) },
    ],
    series: [{}, { fill: bar, width: 0, points: { show: false }, ...(bars && { paths: bars }) }],
    hooks: { setCursor: [(chart) => onHover(chart.cursor.idx ?? undefined)] },
  };
}

export default function Chart(props: ChartProps) {
  const { times, values, label, words, timeWords } = props;
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number>();
  const theme = useTheme();
  const dark = useMedia('(prefers-color-scheme: dark)');
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const chart = new uPlot(optionsOf(element, props, setAt), [times, values], element);
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
    // The words follow what is measured, and so does the label.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [times, values, label, theme, dark]);
  const time = at === undefined ? undefined : times[at];
  return (
    <figure className={css.figure}>
      <figcaption className={css.caption}>
        {time === undefined || at === undefined ? ' ' : `${timeWords(time)}: ${words(values[at] ?? 0)}`}
      </figcaption>
      <div ref={box} className={css.chart} role="img" aria-label={label} />
    </figure>
  );
}
