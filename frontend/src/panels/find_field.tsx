import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { Icon } from "./glyphs";
import { useIsPhone } from "./phone";
import { useShortcut } from "./shortcuts";

const SETTLE_MS = 250;

type Props = { value: string; onChange: (text: string) => void; label: string; hint: string };

/** A search field that `/` goes to. The address follows what is typed a moment later. */
export function FindField({ value, onChange, label, hint }: Props) {
  const isPhone = useIsPhone();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  // What comes back from the address a moment later must not undo what was typed meanwhile.
  const told = useRef(value);
  const tell = useDebouncedCallback((typed: string) => {
    told.current = typed;
    onChange(typed);
  }, SETTLE_MS);
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  const hasKey = useShortcut("/", () => input.current?.focus());
  const set = (typed: string) => {
    setText(typed);
    tell(typed);
  };
  return (
    <TextInput
      ref={input}
      type="search"
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        set("");
        event.currentTarget.blur();
      }}
      placeholder={hint}
      aria-label={label}
      leftSection={<Icon name="search" />}
      rightSection={hasKey && !isPhone && text === "" ? <kbd className="key">/</kbd> : null}
      {...(hasKey ? { "aria-keyshortcuts": "/" } : {})}
    />
  );
}
