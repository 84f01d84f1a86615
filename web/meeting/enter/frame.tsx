import type { ComponentChildren } from "preact";
import { language, setLanguage, useT } from "../../shared/i18n";
import { useStore } from "../../shared/store";
import { useTheme } from "../../shared/theme";

/** The switch between the two languages. */
export function Languages() {
  const now = useStore(language);
  const t = useT();
  return (
    <div class="languages" role="group" aria-label={t("language")}>
      <button class="btn quiet" aria-pressed={now === "vi"} lang="vi" onClick={() => setLanguage("vi")}>
        <span class="long">Tiếng Việt</span>
        <span class="short">VI</span>
      </button>
      <button class="btn quiet" aria-pressed={now === "en"} lang="en" onClick={() => setLanguage("en")}>
        <span class="long">English</span>
        <span class="short">EN</span>
      </button>
    </div>
  );
}

/** Around every page before a meeting. */
export function Frame({ children, dark = false }: { readonly children: ComponentChildren; readonly dark?: boolean }) {
  const t = useT();
  useTheme(dark);
  return (
    <div class="frame">
      <header>
        <img src="/icon.svg" alt="" width="48" height="48" />
        <p>
          <strong>{t("app")}</strong>
          <span>{t("app.sub")}</span>
        </p>
        <Languages />
      </header>
      <main>{children}</main>
    </div>
  );
}
