/** What a page can do of what staff may ask; the rest is answered with `not-supported`. */
import type { Finding, Order, Outcome } from "../shared/device-wire";
import type { Senses } from "./senses";

const NONE = { text: "", findings: [], evidence: null } as const;
const succeeded = (findings: readonly Finding[] = []): Outcome => ({ succeeded: true, code: "", ...NONE, findings });
const failed = (code: string, text = ""): Outcome => ({ succeeded: false, code, ...NONE, text });

export async function carryOut({ do: act }: Order, senses: Senses): Promise<Outcome> {
  switch (act.act) {
    case "restart-page":
      return succeeded(); // the page is loaded anew once this has been told
    case "test-camera": {
      const { camera, microphone_share } = await senses.lookAround();
      if (camera === null) return failed("no-permission", "the page may not use the camera");
      const findings: Finding[] = [{ name: "state", value: camera.state }];
      if (camera.moving !== null) findings.push({ name: "moving", value: camera.moving });
      if (camera.brightness !== null) findings.push({ name: "brightness", value: camera.brightness });
      if (microphone_share !== null) findings.push({ name: "microphone_share", value: microphone_share });
      return camera.state === "ok" ? succeeded(findings) : { ...failed(`camera-${camera.state}`), findings };
    }
    case "check-line": {
      const rtt_ms = senses.rtt_ms();
      return rtt_ms === null ? failed("line-unknown") : succeeded([{ name: "rtt_ms", value: rtt_ms }]);
    }
    default:
      return failed("not-supported", "a browser's page cannot do this");
  }
}
