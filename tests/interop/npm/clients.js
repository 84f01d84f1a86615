// Others' clients, as their packages are used: bundled for the page by the test.
import { WHIPClient as EyevinnWhip } from "@eyevinn/whip-web-client";
import { WHEPClient } from "whip-whep/whep.js";
import { WHIPClient } from "whip-whep/whip.js";

Object.assign(window, { EyevinnWhip, WHEPClient, WHIPClient });
