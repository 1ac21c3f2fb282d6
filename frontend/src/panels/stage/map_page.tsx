import { Tabs } from "@mantine/core";
import { useContext, useEffect, useState } from "react";
import { AlertFeed } from "../alerts/alert_feed";
import { AssetCard } from "../assets/asset_card";
import { AssetPanel } from "../assets/asset_panel";
import { StageContext, useLive, useMap } from "../context";
import { useGeofences } from "../geofences/queries";
import { useIsPhone } from "../phone";
import { useShortcut } from "../shortcuts";
import { useSelected } from "./selection";
import { Sheet } from "./sheet";

const CARD_PX = 384;

type OnMap = { selected: number | null /** Is being drawn anew. */; hidden?: number | undefined };

export function GeofencesOnMap({ selected, hidden }: OnMap) {
  const map = useMap();
  const { data } = useGeofences();
  useEffect(() => {
    const shown = (data ?? []).filter(({ id }) => id !== hidden);
    map?.setGeofences(shown, selected);
  }, [map, data, selected, hidden]);
  return null;
}

function DesktopPage() {
  const { selected } = useSelected();
  const map = useMap();
  useEffect(() => {
    map?.setCovered({ left_px: selected === null ? 0 : CARD_PX, bottom_px: 0 });
    return () => map?.setCovered({ left_px: 0, bottom_px: 0 });
  }, [map, selected]);
  return (
    <>
      <section className="panel panel-left" aria-label="Assets">
        <AssetPanel />
      </section>
      {selected !== null && (
        <section className="card-on-map" aria-label="Selected asset">
          <AssetCard id={selected} />
        </section>
      )}
      <section className="panel panel-right" aria-label="Alerts">
        <AlertFeed />
      </section>
    </>
  );
}

function PhonePage() {
  const { selected } = useSelected();
  const open = useLive().alerts.open().length;
  const [tab, setTab] = useState<string | null>("assets");
  if (selected !== null) {
    return (
      <Sheet label="Selected asset" key="asset">
        <AssetCard id={selected} />
      </Sheet>
    );
  }
  return (
    <Sheet label="Assets and alerts" key="lists">
      <Tabs value={tab} onChange={setTab} className="sheet-tabs" keepMounted={false}>
        <Tabs.List grow>
          <Tabs.Tab value="assets">Assets</Tabs.Tab>
          <Tabs.Tab value="alerts">Alerts{open > 0 ? ` (${open})` : ""}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="assets">
          <AssetPanel />
        </Tabs.Panel>
        <Tabs.Panel value="alerts">
          <AlertFeed />
        </Tabs.Panel>
      </Tabs>
    </Sheet>
  );
}

export function MapPage() {
  const isPhone = useIsPhone();
  const map = useMap();
  const { selected, select } = useSelected();
  const { approach } = useContext(StageContext);
  useShortcut("Escape", () => select(null));
  // Runs after the effects of the parts below, which say what of the map they cover.
  useEffect(() => {
    if (!map || selected === null) return;
    if (approach.current === selected) map.flyToAsset(selected);
    else map.reveal(selected);
    approach.current = null;
  }, [map, selected, approach]);
  return (
    <>
      <GeofencesOnMap selected={null} />
      {isPhone ? <PhonePage /> : <DesktopPage />}
    </>
  );
}
