import type { Columns } from "../wire/live";
import { CHOICES, type LiveRow, QUANTITIES, TIMES } from "../wire/live_columns";

/** The frame of these rows, as tests and benchmarks need it; what a row leaves out is null. */
export function columnsOf(rows: readonly (Partial<LiveRow> & { id: number })[]): Columns {
  const names = [...QUANTITIES, ...TIMES, ...CHOICES];
  const lists = names.map((name) => [name, rows.map((row) => row[name] ?? null)]);
  return { ...Object.fromEntries(lists), id: rows.map(({ id }) => id) } as Columns;
}
