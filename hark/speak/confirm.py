"""The built-in message that asks whether a subscription is really wanted (double opt-in)."""

from __future__ import annotations

from hark.definitions.types import Template

CONFIRM = Template(
    name="_confirm",
    channel="email",
    subject="Please confirm: {{ topic.says | default: topic.name }}",
    mjml="""<mjml>
  <mj-head>
    <mj-preview>One click, and you are on the list.</mj-preview>
    <mj-attributes>
      <mj-all font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.55" color="#1f2328" align="left" />
    </mj-attributes>
    <mj-style>
      :root { color-scheme: light dark; }
      @media (prefers-color-scheme: dark) {
        body, .page { background: #16181c !important; }
        .card, .card > table, .card td { background-color: #22262c !important; }
        .say div, .says div { color: #e8eaed !important; }
        .small div { color: #a0a6ad !important; }
        .says td { border-color: #7c9cff !important; }
      }
    </mj-style>
  </mj-head>
  <mj-body background-color="#f3f4f6" css-class="page" width="520px">
    <mj-section padding="24px 0 0"></mj-section>
    <mj-section background-color="#ffffff" border-radius="12px" padding="20px 12px" css-class="card">
      <mj-column>
        <mj-text font-size="22px" font-weight="600" css-class="say">Shall we write to you?</mj-text>
        <mj-text css-class="say">You, or somebody with your address, asked for:</mj-text>
        <mj-text css-class="says" font-weight="600">{{ topic.says | default: topic.name }}</mj-text>
        <mj-button href="{{ links.confirm }}" background-color="#3355dd" color="#ffffff"
          border-radius="8px" font-size="16px" font-weight="600" align="left"
          inner-padding="13px 26px">Yes, subscribe me</mj-button>
        <mj-text font-size="13px" color="#5f6670" css-class="small">Not you? Then do nothing: without
          your click nothing will be sent.</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>""",
    text="""Shall we write to you?

You, or somebody with your address, asked for: {{ topic.says | default: topic.name }}

Yes, subscribe me:
{{ links.confirm }}

Not you? Then do nothing: without your click nothing will be sent.
""",
)
