/** Where the fleet's state, drawing and address bar are joined. */
import "../shared/tokens.css";
import "../shared/base.css";
import { render } from "preact";
import { language } from "../shared/i18n";

function App() {
  return <main>Thiết bị</main>;
}

document.documentElement.lang = language.get();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
