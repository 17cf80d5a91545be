"""What every stored derivative says of itself: a fixed XMP packet with IPTC's digital source type and its recipe.

Terms: https://cv.iptc.org/newscodes/digitalsourcetype/ and the IPTC Photo Metadata Standard's `DigitalSourceType`.
"""

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:palimpsest="urn:palimpsest:1"
 Iptc4xmpExt:DigitalSourceType="{source_type}"
 palimpsest:recipe="{recipe}"
 palimpsest:source="{source}"/>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def xmp(*, recipe: str, source: str) -> bytes:
    """The packet for a derivative made by the recipe with this digest from the file with that digest (hexadecimal)."""
    return PACKET.format(source_type=SOURCE_TYPE, recipe=recipe, source=source).encode()
