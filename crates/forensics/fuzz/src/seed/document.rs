//! Documents.

use crate::samples::{Pdf, zlib};

const OBJECTS: &[u8] = b"7 0 8 14 <</Type/Page>> <</Type/Annot/Subtype/Widget/AP<</N 4 0 R>>>>";

pub(super) fn pdf() -> Vec<Vec<u8>> {
    let packed = |filter: &str| format!("/Type/ObjStm/N 2/First 9{filter}");
    let signed = Pdf::page().end("").signed(9, "/Reason(x)");
    [
        Pdf::page().end("/Info 6 0 R"),
        Pdf::page()
            .object(
                6,
                "<</Producer(x\\)y)/Creator<feff0041>/CreationDate(D:20240102030405+01'00')>>",
            )
            .stream(
                7,
                "/Type/Metadata/Subtype/XML",
                b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
            )
            .stream(
                8,
                "/Subtype/Image/Width 9/Height 9/Filter/DCTDecode",
                b"\xff\xd8\xff\xd9",
            )
            .object(
                9,
                "<</S/JavaScript/JS(app.alert\\(1\\))/OpenAction[3 0 R/Fit]>>",
            )
            .end("/Info 6 0 R"),
        signed
            .clone()
            .object(3, "<</Type/Page/Contents[4 0 R 7 0 R]>>")
            .end(""),
        signed,
        Pdf::page().stream(6, &packed(""), OBJECTS).end(""),
        Pdf::page()
            .stream(6, &packed("/Filter/FlateDecode"), &zlib(OBJECTS))
            .end(""),
        Pdf::page().end("/Encrypt 5 0 R"),
        Pdf::page()
            .stream(6, "/Type/XRef/W[1 2 1]/Index[0 1]", b"\x01\0\x10\0")
            .end(""),
    ]
    .map(|pdf| pdf.bytes)
    .into()
}
