import { Button, Group, Modal, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLive, usePorts } from "../context";

const TRY_EVERY_MS = 3_000;

function SignedOut() {
  const { resume, login_url } = usePorts();
  const [isTrying, setTrying] = useState(false);
  // The user signs in in another tab, with whatever second factor that takes.
  useEffect(() => {
    const attempt = () => void resume().catch(() => undefined);
    const timer = setInterval(() => document.hasFocus() && attempt(), TRY_EVERY_MS);
    window.addEventListener("focus", attempt);
    return () => {
      clearInterval(timer);
      window.removeEventListener("focus", attempt);
    };
  }, [resume]);
  const retry = () => {
    setTrying(true);
    void resume()
      .catch(() => undefined)
      .finally(() => setTrying(false));
  };
  return (
    <>
      <Text size="sm">
        Sign in again to go on. This page stays as it is, and continues by itself once you are back.
      </Text>
      <Group mt="lg">
        <Button component="a" href={login_url} target="_blank" rel="noopener">
          Sign in in a new tab
        </Button>
        <Button variant="default" loading={isTrying} onClick={retry}>
          I have signed in
        </Button>
      </Group>
    </>
  );
}

/** A session that ended must not cost the user the page. */
export function AccessDialog() {
  const { access } = useLive();
  const isForbidden = access === "forbidden";
  return (
    <Modal
      opened={access !== "granted"}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      centered
      attributes={{ header: { role: "presentation" } }}
      title={isForbidden ? "You may no longer see this" : "Your session has ended"}
    >
      {isForbidden ? (
        <Text size="sm">
          Your access was withdrawn. An owner of your organisation can grant it again.
        </Text>
      ) : (
        <SignedOut />
      )}
    </Modal>
  );
}
