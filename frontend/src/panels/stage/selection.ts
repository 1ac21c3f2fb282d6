import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useContext } from "react";
import { StageContext } from "../context";

/** The selected asset lives in the address: a link shows the same asset. */
export function useSelected() {
  const navigate = useNavigate();
  const { approach } = useContext(StageContext);
  const selected = useRouterState({
    select: ({ location }) => {
      const { selected: id } = location.search as { selected?: unknown };
      return typeof id === "number" ? id : null;
    },
  });
  const select = (id: number | null, { isOnMap = false } = {}) => {
    if (id === selected) return;
    // From a list the map goes there; on the map the user already looks at it.
    approach.current = isOnMap ? null : id;
    void navigate({
      to: "/map",
      search: ({ selected: _, ...rest }: Record<string, unknown>) =>
        id === null ? rest : { ...rest, selected: id },
    });
  };
  return { selected, select };
}
