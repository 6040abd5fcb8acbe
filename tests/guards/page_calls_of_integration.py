"""Imports, open data and webhooks: for each page that writes, the call of the API that does the same."""

from typing import Final

PAGES_OF_INTEGRATION: Final = {
    "POST /admin/imports": "POST /api/v1/programmes/{programme_id}/imports",
    "POST /admin/imports/{id:key}/cancellation": "DELETE /api/v1/imports/{import_id}",
    "POST /admin/imports/{id:key}/resumption": "POST /api/v1/imports/{import_id}/resumption",
    "POST /admin/open-data": "PUT /api/v1/programmes/{programme_id}/open-data",
    "POST /admin/open-data/closure": "DELETE /api/v1/programmes/{programme_id}/open-data",
    "POST /admin/webhooks": "POST /api/v1/programmes/{programme_id}/webhooks",
    "POST /admin/webhooks/{id:key}": "PATCH /api/v1/webhooks/{webhook_id}",
    "POST /admin/webhooks/{id:key}/deletion": "DELETE /api/v1/webhooks/{webhook_id}",
    "POST /admin/webhooks/{id:key}/deliveries/{delivery:key}/replay": "POST /api/v1/deliveries/{delivery_id}/replay",
    "POST /admin/webhooks/{id:key}/replays": "POST /api/v1/webhooks/{webhook_id}/replays",
    "POST /admin/webhooks/{id:key}/secret": "POST /api/v1/webhooks/{webhook_id}/secret",
    "POST /admin/webhooks/{id:key}/start": "PATCH /api/v1/webhooks/{webhook_id}",
    "POST /admin/webhooks/{id:key}/stop": "PATCH /api/v1/webhooks/{webhook_id}",
    "POST /admin/webhooks/{id:key}/tests": "POST /api/v1/webhooks/{webhook_id}/tests",
}
