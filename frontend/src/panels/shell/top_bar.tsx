import {
  ActionIcon,
  type MantineColorScheme,
  Popover,
  SegmentedControl,
  Switch,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { usePorts } from "../context";
import { Icon } from "../glyphs";
import { useHasShortcuts } from "../shortcuts";
import { Clock } from "./clock";

const SCHEMES: { value: MantineColorScheme; label: string }[] = [
  { value: "auto", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={`Use ${other} colours`}
      onClick={() => setColorScheme(other)}
    >
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </ActionIcon>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/[\s@.]+/);
  return (words[0]?.[0] ?? "?").concat(words[1]?.[0] ?? "").toUpperCase();
}

function Account() {
  const { boot, signOut } = usePorts();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [hasKeys, setHasKeys] = useHasShortcuts();
  const { name, email, role } = boot.user;
  return (
    <div className="account">
      <p>
        <b>{name}</b>
        <br />
        {email}
      </p>
      <SegmentedControl
        aria-label="Colours"
        data={SCHEMES}
        value={colorScheme}
        onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}
        fullWidth
      />
      <Switch
        size="sm"
        label="Single-key shortcuts"
        description="/ finds · P pauses · F shows all · Esc closes"
        checked={hasKeys}
        onChange={(event) => setHasKeys(event.currentTarget.checked)}
      />
      {role === "admin" && (
        <a className="link" href="/admin/">
          Administration
        </a>
      )}
      <button type="button" className="link" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}

function AccountMenu() {
  const { name, email } = usePorts().boot.user;
  return (
    <Popover
      position="bottom-end"
      width={264}
      withinPortal={false}
      trapFocus
      zIndex={50}
      shadow="md"
    >
      <Popover.Target>
        <button type="button" className="avatar">
          <span aria-hidden="true">{initials(name || email)}</span>
          <span className="unseen">Account of {name || email}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Account">
        <Account />
      </Popover.Dropdown>
    </Popover>
  );
}

export function TopBar({ title }: { title: string }) {
  const { organisations } = usePorts().boot;
  const whose = organisations.length === 1 ? organisations[0]?.name : null;
  return (
    <header className="top-bar">
      <div className="top-title">
        <h1>{title}</h1>
        {whose && <span className="top-whose">{whose}</span>}
      </div>
      <Clock />
      <div className="top-tools">
        <ThemeToggle />
        <AccountMenu />
      </div>
    </header>
  );
}
