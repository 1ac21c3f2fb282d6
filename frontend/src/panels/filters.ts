import { useNavigate, useRouterState } from "@tanstack/react-router";
import type { Filter } from "../fleet/roster";
import { STATUSES } from "../fleet/status";

export type FilterSearch = { find?: string; states?: string; in_view?: number };
type State = Filter["states"] extends ReadonlySet<infer S> ? S : never;
const STATES: readonly State[] = ["alerting", ...STATUSES];

/** What the address says of filters; what it does not know is left out. */
export function filterSearch(search: Record<string, unknown>): FilterSearch {
  const { find, states, in_view } = search;
  const known = String(states ?? "")
    .split(".")
    .filter((state) => STATES.some((one) => one === state));
  return {
    // A name that is a number arrives as one.
    ...((typeof find === "string" || typeof find === "number") && find !== ""
      ? { find: String(find) }
      : {}),
    ...(known.length > 0 ? { states: known.join(".") } : {}),
    ...(in_view === 1 ? { in_view: 1 } : {}),
  };
}

/** Search and filters live in the address: a link shows the same list. */
export function useFilters() {
  const navigate = useNavigate();
  const search = useRouterState({
    select: ({ location }) => filterSearch(location.search as Record<string, unknown>),
    structuralSharing: true,
  });
  const set = (part: { [K in keyof FilterSearch]: FilterSearch[K] | undefined }) =>
    void navigate({
      to: ".",
      search: (last: Record<string, unknown>) => {
        const { find: _, states: __, in_view: ___, ...rest } = last;
        return { ...rest, ...filterSearch({ ...search, ...part }) };
      },
      replace: true,
    });
  return {
    find: search.find ?? "",
    states: new Set((search.states ?? "").split(".").filter(Boolean)) as Filter["states"],
    isInView: search.in_view === 1,
    setFind: (find: string) => set({ find }),
    setStates: (states: Filter["states"]) => set({ states: [...states].join(".") }),
    setInView: (isInView: boolean) => set({ in_view: isInView ? 1 : undefined }),
    clear: () => set({ find: undefined, states: undefined, in_view: undefined }),
  };
}
