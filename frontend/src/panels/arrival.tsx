import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReadList } from "../fleet/live_state";
import { usePorts } from "./context";

/** A list that could not be read is not an empty one. It is read again by itself, too. */
export function NotRead({ list }: { list: ReadList }) {
  const { readMissing } = usePorts();
  const [isTrying, setTrying] = useState(false);
  const retry = () => {
    setTrying(true);
    void readMissing().finally(() => setTrying(false));
  };
  return (
    <div className="not-read" role="alert">
      <p>
        <b>The list of {list} could not be loaded.</b> What is shown may be incomplete.
      </p>
      <Button size="xs" variant="default" loading={isTrying} onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
