// Results: the facets stay folded on a narrow screen, and choosing an order is enough to have it.

class FacetPanel extends HTMLElement {
  connectedCallback() {
    const wide = window.matchMedia("(min-width: 60rem)");
    const panel = this.querySelector("details");
    const fit = () => (panel.open = wide.matches);
    wide.addEventListener("change", fit);
    fit();
  }
}
customElements.define("facet-panel", FacetPanel);

for (const select of document.querySelectorAll("[data-submits]"))
  select.addEventListener("change", () => select.form.requestSubmit());
for (const button of document.querySelectorAll("[data-hide-with-script]")) button.hidden = true;
