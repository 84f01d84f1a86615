import { language, setLanguage } from "../shared/i18n";
import { useStore } from "../shared/store";
import { useT } from "./i18n";

/** The switch between the two languages. */
export function Languages() {
  const now = useStore(language);
  const t = useT();
  return (
    <div class="languages" role="group" aria-label={t("language")}>
      {(["vi", "en"] as const).map((one) => (
        <button
          key={one}
          lang={one}
          aria-pressed={now === one}
          title={one === "vi" ? "Tiếng Việt" : "English"}
          onClick={() => setLanguage(one)}
        >
          {one.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
