/* Lists of things, from three rows to ten thousand. Above VIRTUAL_FROM rows only those near the window exist in the page; the window
 * scrolls, so the list has no scroll bar of its own. j and k walk the rows, Enter opens one. */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { cx } from '~/lib/cx';
import { useNarrow } from '~/lib/use-media';
import css from './table.module.css';
import { useRowKeys } from './row-keys';

const VIRTUAL_FROM = 80;
const ROW_PX = 45;

export interface Column<T> {
  id: string;
  head: ReactNode;
  /** A grid track: "1fr", "120px", "minmax(160px, 2fr)". */
  width: string;
  cell: (row: T) => ReactNode;
  end?: boolean;
  /** Left out where there is no room (phones). */
  spare?: boolean;
  sortable?: boolean;
}

export interface Sort {
  by: string;
  down: boolean;
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  sort?: Sort | undefined;
  onSort?: (sort: Sort) => void;
  /** In a card of its own (default), or inside one. */
  bare?: boolean;
}

function HeadCell<T>({
  column,
  sort,
  onSort,
}: {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const active = sort?.by === column.id;
  const order = active ? (sort.down ? 'descending' : 'ascending') : undefined;
  const Arrow = active && sort.down ? ArrowDown : ArrowUp;
  return (
    <div role="columnheader" className={cx(css.cell, column.end === true && css.end)} aria-sort={order}>
      {column.sortable === true && onSort ? (
        <button type="button" className={css.sorter} onClick={() => onSort({ by: column.id, down: active && !sort.down })}>
          {column.head}
          <Arrow size={11} aria-hidden className={cx(css.arrow, active && css.arrowOn)} />
        </button>
      ) : (
        column.head
      )}
    </div>
  );
}

export function Table<T>({ label, columns, rows, keyOf, sort, onSort, bare = false }: TableProps<T>) {
  const narrow = useNarrow();
  const shown = useMemo(() => (narrow ? columns.filter((column) => column.spare !== true) : columns), [columns, narrow]);
  const root = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (root.current) setTop(root.current.getBoundingClientRect().top + window.scrollY);
  }, [rows.length]);
  const virtual = rows.length > VIRTUAL_FROM;
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: top,
    enabled: virtual,
  });
  useRowKeys(root, rows.length, (index) => virtual && virtualizer.scrollToIndex(index, { align: 'auto' }));
  const tracks = shown.map((column) => column.width).join(' ');

  const row = (data: T, index: number, offset?: number) => (
    <div
      key={keyOf(data)}
      role="row"
      data-row={index}
      aria-rowindex={index + 2}
      className={css.row}
      style={{
        gridTemplateColumns: tracks,
        ...(offset !== undefined && { position: 'absolute', top: 0, height: ROW_PX, transform: `translateY(${offset}px)` }),
      }}
    >
      {shown.map((column) => (
        <div key={column.id} role="cell" className={cx(css.cell, column.end === true && css.end)}>
          {column.cell(data)}
        </div>
      ))}
    </div>
  );

  return (
    <div
      ref={root}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      className={cx(css.table, !bare && css.framed)}
    >
      <div role="rowgroup" className={css.head}>
        <div role="row" aria-rowindex={1} className={css.headRow} style={{ gridTemplateColumns: tracks }}>
          {shown.map((column) => (
            <HeadCell key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      {virtual ? (
        <div role="rowgroup" className={css.body} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const data = rows[item.index];
            return data === undefined ? null : row(data, item.index, item.start - top);
          })}
        </div>
      ) : (
        <div role="rowgroup" className={css.body}>
          {rows.map((data, index) => row(data, index))}
        </div>
      )}
    </div>
  );
}

/** Two lines in a cell: what it is, and a word about it. */
export const Lines = ({ first, second }: { first: ReactNode; second?: ReactNode }) => (
  <span className={css.lines}>
    <span className={css.first}>{first}</span>
    {second !== undefined && second !== null && <span className={css.second}>{second}</span>}
  </span>
);

/** A mark and what it stands for. */
export const WithMark = ({ mark, children }: { mark: ReactNode; children: ReactNode }) => (
  <span className={css.withMark}>
    {mark}
    {children}
  </span>
);

/** The class of the link that opens a row: the whole row becomes its target. */
export const rowLink = css.link ?? '';
