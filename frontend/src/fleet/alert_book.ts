import type { Alert, Severity } from "../wire/rest";

const WEIGHT: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** All alerts seen, newest first, each in its latest state. */
export class AlertBook {
  private byId = new Map<number, Alert>();
  version = 0;
  /** Highest number seen: the stream is resumed after it. Null until any was. */
  lastNumber: number | null = null;

  take(alert: Alert, number = alert.number): void {
    this.lastNumber = Math.max(this.lastNumber ?? 0, number);
    const known = this.byId.get(alert.id);
    if (known && known.number > alert.number) return;
    this.byId.set(alert.id, alert);
    this.version += 1;
  }

  /**
   * Begins anew with what the server has: frames may have been lost, or the server's database was
   * restored to an older state, whose numbers are lower.
   */
  replace(alerts: readonly Alert[]): void {
    this.byId.clear();
    this.lastNumber = 0;
    for (const alert of alerts) this.take(alert);
    this.version += 1;
  }

  list(): Alert[] {
    return [...this.byId.values()].sort((a, b) => opened(b) - opened(a) || b.id - a.id);
  }

  open(): Alert[] {
    return this.list().filter((alert) => alert.state === "open");
  }

  /** Assets with an alert that nobody took yet; what is only worth knowing does not count. */
  alertingAssets(): Set<number> {
    const urgent = this.open().filter(({ severity }) => severity !== "info");
    return new Set(urgent.map(({ asset }) => asset));
  }

  worst(asset: number): Severity | null {
    const severities = this.open()
      .filter((alert) => alert.asset === asset)
      .map((alert) => alert.severity);
    return severities.sort((a, b) => WEIGHT[a] - WEIGHT[b])[0] ?? null;
  }
}

function opened(alert: Alert): number {
  return Date.parse(alert.opened_at ?? alert.at);
}
