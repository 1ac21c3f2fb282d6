import { useLocalStorage } from "@mantine/hooks";
import { useEffect, useRef } from "react";

const TYPING = "input, textarea, select, [contenteditable], [role=dialog] *";

/** Single keys can be switched off: who speaks to the page would press them by speaking. */
export function useHasShortcuts() {
  return useLocalStorage({ key: "shortcuts", defaultValue: true, getInitialValueInEffect: false });
}

/** Calls `act` when a key is pressed outside of any field. Answers whether keys are on. */
export function useShortcut(key: string, act: () => void): boolean {
  const [isOn] = useHasShortcuts();
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!isOn) return;
    const press = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof Element && event.target.closest(TYPING) !== null;
      if (event.key !== key || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [isOn, key]);
  return isOn;
}
