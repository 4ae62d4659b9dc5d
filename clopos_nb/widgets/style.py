"""The explorer's look: its colours are those of the notebook's theme, and its words are escaped."""

from __future__ import annotations

from html import escape

from clopos_nb import drawing

# JupyterLab and Voila mark a dark theme on the body, VS Code in its own way.
_DARK = 'body[data-jp-theme-light="false"] .clopos, body[data-vscode-theme-kind$="dark"] .clopos'

STYLE = f"""<style>
.clopos {{
  --ink: var(--jp-ui-font-color1, #1f2328); --faint: var(--jp-ui-font-color2, #6a717b);
  --rule: var(--jp-border-color2, #e0e0e0);
  --yes: #1a7f4b; --no: #b3261e; {drawing.variables(drawing.LIGHT)}
  max-width: 1080px; color: var(--ink);
}}
{_DARK} {{ --yes: #56c596; --no: #ff8a80; {drawing.variables(drawing.DARK)} }}
.clopos .widget-label {{ text-align: left; }}
.clopos .choice {{
  grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); grid-gap: 4px 32px;
}}
.clopos .choice .widget-inline-hbox {{ width: auto; }}
.clopos .choice .widget-html, .clopos .choice .widget-checkbox {{
  margin-left: calc(var(--jp-widgets-inline-label-width) + 10px);
}}
.clopos .row {{ flex-flow: row wrap; align-items: center; gap: 4px 12px; }}
.clopos .result {{ gap: 10px; padding-top: 12px; border-top: 1px solid var(--rule); }}
.clopos .result > *, .clopos .result > * > * {{ flex-shrink: 0; }}
.clopos .choice + .row {{ margin: 10px 0 4px; }}
.clopos .widget-html, .clopos .widget-html-content {{ min-width: 0; max-width: 100%; }}
.clopos .widget-html-content {{ line-height: 1.45; overflow-wrap: anywhere; }}
.clopos svg {{ display: block; width: 100%; height: auto; }}
.clopos svg text {{ font-family: var(--jp-ui-font-family, system-ui, sans-serif) !important; }}
.clopos h3 {{ margin: 0; font-size: 15px; font-weight: 600; }}
.clopos p {{ margin: 0; max-width: 48rem; }}
.clopos .faint {{ color: var(--faint); }}
.clopos .yes {{ color: var(--yes); font-weight: 600; }}
.clopos .no {{ color: var(--no); font-weight: 600; }}
.clopos .notice, .clopos .error {{
  padding: 6px 12px; border-left: 3px solid var(--faint); background: var(--jp-layout-color2, #eee);
}}
.clopos .error {{ border-left-color: var(--no); }}
.clopos pre {{
  margin: 0; padding: 8px 12px; overflow-x: auto; user-select: all;
  font: 13px/1.5 var(--jp-code-font-family, monospace); background: var(--jp-layout-color2, #eee);
}}
.clopos a.save {{
  color: var(--jp-content-link-color, #0072b2); text-decoration: underline; font-weight: 600;
}}
</style>"""


def status(text: str, kind: str = "faint") -> str:
    """Return a line that screen readers read out when it changes."""
    return f'<p role="status" class="{kind}">{escape(text)}</p>' if text else ""


def notice(text: str, code: str = "") -> str:
    """Return a remark that must not be overlooked."""
    told = f" <code>{escape(code)}</code>" if code else ""
    return f'<p role="status" class="notice">{escape(text)}{told}</p>'


def error(title: str, text: str) -> str:
    """Return what went wrong, read out at once."""
    return f'<p role="alert" class="error"><b>{escape(title)}</b> {escape(text)}</p>'


def heading(text: str) -> str:
    """Return the heading of a part."""
    return f"<h3>{escape(text)}</h3>"
