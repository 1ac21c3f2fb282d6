import { Button, Group, SegmentedControl, Text, Textarea, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { Shape } from "../../wire/rest";
import { useMap } from "../context";
import { Icon } from "../glyphs";
import { useIsPhone } from "../phone";
import type { DrawnKind } from "../ports";
import { draftOf, parsed, type ShapeDraft, type Wrong } from "./shapes";

const KINDS: { value: DrawnKind; label: string }[] = [
  { value: "polygon", label: "Polygon" },
  { value: "circle", label: "Circle" },
  { value: "corridor", label: "Corridor" },
];
const HOW: Record<DrawnKind, string> = {
  polygon: "each corner, then the first one again.",
  circle: "the centre, then the edge.",
  corridor: "along the way, then the last point again.",
};

type Props = {
  draft: ShapeDraft;
  onChange: (draft: ShapeDraft) => void;
  error: string | undefined;
};

/** Drawing on the map, and the same in numbers for who cannot or will not draw. */
export function ShapeFields({ draft, onChange, error }: Props) {
  const set = (part: Partial<ShapeDraft>) => onChange({ ...draft, ...part });
  const result = parsed(draft);
  // Of the server's words it is not known which number they are about.
  const wrong = error && "error" in result ? result : null;
  return (
    <fieldset className="form-part">
      <legend>Shape</legend>
      <SegmentedControl
        fullWidth
        aria-label="Kind of shape"
        data={KINDS}
        value={draft.kind}
        onChange={(kind) => set({ kind: kind as DrawnKind })}
      />
      <DrawButton draft={draft} onChange={onChange} />
      {draft.kind === "circle" ? (
        <CircleNumbers draft={draft} set={set} wrong={wrong} />
      ) : (
        <LineNumbers draft={draft} set={set} wrong={wrong} />
      )}
      {error && !wrong && (
        <p className="refused" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}

function DrawButton({ draft, onChange }: Omit<Props, "error">) {
  const map = useMap();
  // Until the tools are there, clicks would be lost.
  const [state, setState] = useState<"idle" | "preparing" | "drawing">("idle");
  const isPhone = useIsPhone();
  const hint = useRef<HTMLParagraphElement>(null);
  const latest = useRef({ draft, onChange });
  latest.current = { draft, onChange };
  const result = parsed(draft);
  const shape = "shape" in result ? result.shape : null;
  const key = JSON.stringify(shape);

  useEffect(() => {
    map?.showDraft(key === "null" ? null : JSON.parse(key));
  }, [map, key]);
  useEffect(
    () => () => {
      map?.cancelDrawing();
      map?.showDraft(null);
    },
    [map],
  );

  // On a phone it would begin under the buttons of the form.
  useEffect(() => {
    if (state === "drawing") hint.current?.scrollIntoView({ block: "nearest" });
  }, [state]);

  const stop = () => {
    map?.cancelDrawing();
    setState("idle");
  };
  const take = (drawn: Shape) => {
    setState("idle");
    const numbers = draftOf(drawn);
    if (numbers) latest.current.onChange({ ...numbers, width_m: latest.current.draft.width_m });
  };
  const start = () => {
    setState("preparing");
    map?.showDraft(null);
    map?.draw(draft.kind, take).then(
      () => setState((now) => (now === "preparing" ? "drawing" : now)),
      () => setState("idle"),
    );
  };

  if (!map) return null;
  return (
    <Group gap="sm" className="draw">
      <Button
        variant={state === "drawing" ? "filled" : "light"}
        leftSection={<Icon name="draw" />}
        loading={state === "preparing"}
        onClick={state === "drawing" ? stop : start}
      >
        {state === "drawing" ? "Stop drawing" : shape ? "Draw again" : "Draw on the map"}
      </Button>
      {state === "idle" && shape && (
        <Button variant="default" onClick={() => map.fitShape(shape)}>
          Show on map
        </Button>
      )}
      {state === "drawing" && (
        <Text ref={hint} size="sm" role="status">
          {isPhone ? "Tap" : "Click"} {HOW[draft.kind]}
        </Text>
      )}
    </Group>
  );
}

type NumbersProps = {
  draft: ShapeDraft;
  set: (part: Partial<ShapeDraft>) => void;
  wrong: Wrong | null;
};

function CircleNumbers({ draft, set, wrong }: NumbersProps) {
  return (
    <div className="numbers">
      <TextInput
        label="Longitude"
        inputMode="decimal"
        value={draft.lon}
        onChange={(event) => set({ lon: event.currentTarget.value })}
        placeholder="e.g. 24.9414"
        error={wrong?.field === "center" && wrong.error}
      />
      <TextInput
        label="Latitude"
        inputMode="decimal"
        value={draft.lat}
        onChange={(event) => set({ lat: event.currentTarget.value })}
        placeholder="e.g. 60.1719"
        error={wrong?.field === "center"}
      />
      <TextInput
        label="Radius, m"
        inputMode="decimal"
        value={draft.radius_m}
        error={wrong?.field === "size" && wrong.error}
        onChange={(event) => set({ radius_m: event.currentTarget.value })}
      />
    </div>
  );
}

function LineNumbers({ draft, set, wrong }: NumbersProps) {
  return (
    <>
      <Textarea
        label={draft.kind === "polygon" ? "Corners" : "Points"}
        description="One per line: longitude, latitude"
        autosize
        minRows={3}
        maxRows={8}
        value={draft.corners}
        onChange={(event) => set({ corners: event.currentTarget.value })}
        placeholder={"e.g. 24.9414, 60.1719"}
        error={wrong?.field === "corners" && wrong.error}
        classNames={{ input: "figures" }}
      />
      {draft.kind === "corridor" && (
        <TextInput
          label="Width, m"
          inputMode="decimal"
          value={draft.width_m}
          error={wrong?.field === "size" && wrong.error}
          onChange={(event) => set({ width_m: event.currentTarget.value })}
        />
      )}
    </>
  );
}
