"""Ways in for plate reads that a person looks at again; the reads themselves come in through `reading`."""

from write_api.routes import CommandRoute, decides, one_of

ROUTES = (
    CommandRoute(
        "/v1/plate-reads/{read}/correction",
        decides("CorrectPlateRead"),
        "Say which plate a read's image shows.",
        {"plate": "ON CKTR482", "basis": "image"},
    ),
    CommandRoute(
        "/v1/plate-reads/{read}/match",
        one_of("says", confirmed="ConfirmPossibleMatch", denied="DenyPossibleMatch"),
        "Confirm or deny from the image that a read is of a possible match.",
        {"says": "confirmed", "candidate": "ON CKTR482"},
    ),
)
